//! Macro calls by their shape.

use super::{body, expr};

#[test]
fn arguments_are_expressions_with_names() {
    expr(
        "println!(\"a {} {{}}\", b.c()?, x = 3)",
        "println!(\"a {} {}\", b.c()?, x=3)",
    );
    expr(
        "tracing::info!(target: \"t\", id = %task.id(), ?err, %e, a.b = 1, \"msg\")",
        "tracing::info!(target=\"t\", id=task.id(), err, e, a.b=1, \"msg\")",
    );
    expr("tokio::join!(f(), g().h())", "tokio::join!(f(), g().h())");
    expr(
        "sqlx::query!(\"SELECT '{a}'\", id).fetch_one(&pool).await?",
        "await(sqlx::query!(\"SELECT '{a}'\", id).fetch_one(&pool))?",
    );
    expr("assert_snapshot!(f()?, @r\"x\")", "assert_snapshot!(f()?, \"x\")");
    expr("env!(\"X\")", "env!(\"X\")");
    expr("call!()", "call!()");
}

#[test]
fn a_format_string_is_cut_at_its_placeholders() {
    expr(
        "format!(\"mongodb://{user}:{}@{host:>3}/{named}{0}\", password, named = 1)",
        "format!(\"mongodb://{}:{}@{}/{}{}\"%(user, host), password, named=1)",
    );
    expr("write!(f, \"{{x}} {:?}\", y)", "write!(f, \"{x} {}\", y)");
    expr("panic!(\"}} } {\")", "panic!(\"}  \")");
}

#[test]
fn lists_and_strings() {
    expr(
        "(vec![a.get()?, b], vec![0; 10], vec![x; n()], vec![])",
        "([a.get()?, b], [0], unknown[[x], n()], [],)",
    );
    expr("concat!(\"a\", 1, \"b\")", "\"a1b\"");
    expr("try!(r#try!(foo()))", "foo()??");
}

#[test]
fn documents_are_dictionaries() {
    expr(
        "doc! { \"_id\": id, \"$inc\": { \"n\": 1 }, \"a\": [1, { \"b\": null }, f()?], key: -1, }",
        "{\"_id\": id, \"$inc\": {\"n\": 1}, \"a\": [1, {\"b\": ()}, f()?], key: -1}",
    );
    expr(
        "json!({ \"a\": [ { \"b\": c.d::<E, F>() } ], \"d\": null })",
        "{\"a\": [{\"b\": c.d()}], \"d\": ()}",
    );
    expr(
        "(doc! {}, json!([1, {\"a\": 2}]), bson!({}), json!(x), json!(null))",
        "({}, [1, {\"a\": 2}], {}, json!(x), (),)",
    );
    expr("other! { \"a\": 1 }", "{\"a\": 1}");
    expr("update!(coll, {\"a\": b}, [c])", "update!(coll, {\"a\": b}, [c])");
    expr("hashmap! { \"a\" => f(), b => 2 }", "{\"a\": f(), b: 2}");
}

#[test]
fn select_waits_for_one_of_its_futures() {
    body(
        "tokio::select! { biased; Some(x) = rx.recv() => { f(x).await; } res = &mut fut, if !done => break, _ = sleep(1) => {} else => g() }",
        "value select{Some(x) = await(rx.recv()) => {do await(f(x))}, res = await(&fut) if not(done) => {break^0}, \
         _ = await(sleep(1)) => {}, _ = else => {value g()}}",
    );
    expr(
        "futures::select! { a = fa => a, complete => 0, default => 1 }",
        "select{a = await(fa) => {value a}, _ = else => {value 0}, _ = else => {value 1}}",
    );
    expr(
        "select! { recv(r) -> msg => f(msg), send(s, 1) -> res => {}, default(t) => {} }",
        "select{msg = recv(r) => {value f(msg)}, res = send(s, 1) => {}, _ = default(t) => {}}",
    );
}

#[test]
fn matches_is_a_condition() {
    expr(
        "matches!(*e.kind, ErrorKind::Io(_) | ErrorKind::X { .. } if a)",
        "and(let(ErrorKind::Io(_) | ErrorKind::X{} = &e.kind), a)",
    );
    expr(
        "assert_matches!(x, Err(_), \"a {}\", b)",
        "assert_matches!(let(Err(_) = x))",
    );
}

#[test]
fn statements_are_one_argument() {
    body(
        "retry! { let x = a()?; x.b() }",
        "value retry!(<{let x = a()?; value x.b()}>)",
    );
    body(
        "let s = stream! { loop { yield x.await?; } };",
        "let s = stream!(async gen \\(){value <loop {do yield(await(x)?)}>})",
    );
    body(
        "outer! { let s = stream! { yield 1; }; s };",
        "do outer!(<{let s = stream!(async gen \\(){do yield(1)}); value s}>)",
    );
    body(
        "lazy_static! { static ref A: u8 = 1; } x",
        "set A: u8 = lazy_static!(\\(){value 1})\nvalue x",
    );
}

#[test]
fn what_makes_no_sense_has_no_arguments() {
    body(
        "html! { <p>{ x }</p> } quote! { a.unwrap() }",
        "do html!()\nvalue quote!()",
    );
}
