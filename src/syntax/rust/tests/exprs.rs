//! Expressions, statements, patterns.

use super::{body, expr};

#[test]
fn chains_read_from_left_to_right() {
    expr(
        "conn.query::<T, _>(\"x\", &[&1]).await?.first().unwrap().0.1",
        "await(conn.query(\"x\", &[&1]))?.first().unwrap().0.1",
    );
    expr("(self.f)(1)(2)[3]", "&self.f(1)(2)[3]");
    expr(
        "sqlx::query_as::<_, User>(SQL).fetch_one(&*pool)",
        "sqlx::query_as(SQL).fetch_one(&&pool)",
    );
    expr("match x { _ => y }.get()", "<match x {_ => {value y}}>.get()");
}

#[test]
fn paths_keep_type_arguments_inside() {
    expr("Vec::<Foo>::new()", "Vec[Foo]::new()");
    expr("<T as Default>::default()", "T::default()");
    expr("<Vec<u8>>::new()", "Vec[u8]::new()");
    expr("::std::env::var(r#type)", "std::env::var(type)");
}

#[test]
fn operators_of_one_kind_share_a_node() {
    expr("-1 + 2 + 3 - 4", "op-(op+(-1, 2, 3), 4)");
    expr("a && b && c || !d", "or(and(a, b, c), not(d))");
    expr("a == b && -x.y() > c as u8", "and(op==(a, b), op>(op-(x.y()), &c))");
    expr("(a + b) + c", "op+(&op+(a, b), c)");
    expr("xs[1..n]", "xs[slice(1, n)]");
}

#[test]
fn literals() {
    expr(
        "(\"a\\n\", b\"b\", c\"c\", r#\"d\"#, 'e', 1.5, 0x1f_u8, true, ())",
        "(\"a\\n\", \"b\", \"c\", \"d\", lit, lit, 31, true, (),)",
    );
    expr("[[0u8; 4], [x; N], [1, 2]]", "[[0], [x], [1, 2]]");
    expr("[a; f()]", "unknown[[a], f()]");
}

#[test]
fn structs_are_made_with_new() {
    expr(
        "Foo { a, b: 1, ..Default::default() }",
        "new Foo{a: a, b: 1, ..Default::default()}",
    );
    expr("Self::Bar::<u8> { 0: x }", "new Self::Bar{0: x}");
}

#[test]
fn closures_and_async_blocks_are_lambdas() {
    expr(
        "move |x: u8, (a, b): (u8, u8)| -> u8 { f(); x }",
        "\\(x: u8, (a, b): (u8, u8,)) -> u8{do f(); value x}",
    );
    expr("async |x| x.await", "async \\(x){value await(x)}");
    expr(
        "|| async move { y.await? }",
        "\\(){value async \\(){value await(y)?}()}",
    );
    expr(
        "tokio::spawn(async move { conn.await.unwrap() })",
        "tokio::spawn(async \\(){value await(conn).unwrap()}())",
    );
    expr("|| n += 1", "\\(){change n by 1}");
}

#[test]
fn lets_and_assignments() {
    body(
        "let Ok(x) = client.get().await else { return Ok(()); }; let a: Vec<_> = b; let z; x = y; _ = foo(); (a, _) = g();
         x += 1; self.db = Some(new().await); f(x = 2);",
        "let Ok(x) = await(client.get()) else {return Ok(())}
         let a: Vec[unknown[]] = b
         let z
         set x = y
         let _ = foo()
         set (a, unknown[],) = g()
         change x by 1
         set self.db = Some(await(new()))
         do f(x:=2)",
    );
}

#[test]
fn conditions_and_their_values() {
    body(
        "if let Some(x) = a && x > 3 && let Err(e) = y { f(); } else if c { g(); } else { h(); }
         let v = if a { 1 } else if b { 2 } else { 3 };
         if a { b() }",
        "if and(let(Some(x) = a), op>(x, 3), let(Err(e) = y)) {do f()} else {if c {do g()} else {do h()}}
         let v = <if a {value 1} else {value <if b {value 2} else {value 3}>}>
         if a {value b()}",
    );
    expr("if a { b() } else { return }", "<if a {value b()} else {return}>");
}

#[test]
fn labels_are_counted() {
    body(
        "'outer: loop { loop { break 'outer; } while let Some(x) = s.next().await { continue 'outer } break; }
         let q = 'blk: { if a { break 'blk 1; } loop { break 'blk 2 } 3 };
         'a: for x in y { 'b: { break; } } let r = loop { break 5; }; let c = || loop { break };",
        "loop {loop {break^1}; while let(Some(x) = await(s.next())) {continue^1}; break^0}
         let q = <labelled {if a {break^0 1}; loop {break^1 2}; value 3}>
         for x in y {value <labelled {break^1}>}
         let r = <loop {break^0 5}>
         let c = \\(){value <loop {break^0}>}",
    );
}

#[test]
fn blocks() {
    body(
        "{ a(); } unsafe { b() } const { c() } { d() }",
        "{do a()}\n{value b()}\n{value c()}\nvalue <{value d()}>",
    );
    body(
        "fn g() {} struct S; use a::b; const N: u8 = 1;",
        "fn g()\nStruct S\nuse [a] b\nset N: u8 = 1",
    );
    body(
        "for (i, x) in xs { if x { continue; } } while a {} return;",
        "for (i, x) in xs {if x {continue^0}}\nwhile a {}\nreturn",
    );
}

#[test]
fn patterns_of_a_match() {
    body(
        "match self.get().await {
            Ok(Some(User { id, name: Name(n), .. })) if n == \"x\" => { f(); 1 }
            Err(e @ Error::Io(_)) | Err(Error::Sub(Kind::A)) => return Err(e.into()),
            Ok(None) => (), 0..=9 => {} \"x\" => a, -1 => b, [first, .., rest @ ..] => c, &LIMIT => x += 1,
            ref y => d, mut z => e, (a, box_) => match n {},
         };",
        "match await(self.get()) {Ok(Some(User{id: id, name: Name(n)})) if op==(n, \"x\") => {do f(); value 1}, \
         Err(e @ Error::Io(_)) | Err(Error::Sub(=Kind::A)) => {return Err(e.into())}, \
         Ok(=None) => {}, _ => {}, =\"x\" => {value a}, =-1 => {value b}, (first, *, *rest) => {value c}, =LIMIT => {change x by 1}, \
         y => {value d}, z => {value e}, (a, box_) => {value <match n {}>}}",
    );
}
