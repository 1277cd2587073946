//! Items, types and attributes.

use super::{items, parse};

#[test]
fn use_trees_become_one_import_per_name() {
    items(
        "use a::b::{self, c as d, e::*, f::{g, self as h}}; pub use x; use ::std::io as _; pub(crate) use r#type::Y;",
        "use [a] b; use [a::b] c as d; use [a::b::e] *; use [a::b::f] g; use [a::b] f as h
         pub use [] x\nuse [std] io as _\npub use [type] Y"
            .replace("         ", "")
            .as_str(),
    );
    items(
        "extern crate tokio as tk; extern crate core;",
        "use [tokio] - as tk\nuse [core] -",
    );
}

#[test]
fn a_module_in_another_file_is_an_import_and_a_submodule() {
    items(
        "pub mod a; #[cfg(test)] #[path = \"t.rs\"] mod tests;",
        "pub use [self] a\nuse [self] tests",
    );
    let module = parse("mod a; mod outer { #[cfg(test)] #[path = \"t.rs\"] mod tests; }");
    let found: Vec<_> = module
        .submodules
        .iter()
        .map(|sub| (sub.name.as_str(), sub.path.as_deref(), sub.is_test, sub.outer.is_some()))
        .collect();
    assert_eq!(found, [("a", None, false, false), ("tests", Some("t.rs"), true, true)]);
}

#[test]
fn structs_keep_their_types_and_attributes() {
    items(
        "#[derive(Debug, Clone)] pub struct State<'a, T: Conn + ?Sized + 'a, const N: usize = 3> where T: Send {
            #[serde(rename = \"x\", default)] pub db: Arc<Mutex<Option<redis::aio::MultiplexedConnection>>>,
            r: &'a mut T, p: *const [T; 4], u: (), n: Foo<'a>,
         }
         struct Wrapper(pub Client, u8); struct Unit; union Either { a: u8 }",
        "
@derive(Debug, Clone)
Struct State<T: Conn + Send, N>
  .db: Arc[Mutex[Option[redis::aio::MultiplexedConnection]]] @serde(rename=\"x\", default)
  .r: &T
  .p: &[T]
  .u: ()
  .n: Foo
Struct Wrapper
  .0: Client
  .1: u8
Struct Unit
Struct Either
  .a: u8",
    );
}

#[test]
fn bounds_are_types() {
    items(
        "struct S { f: Box<dyn Fn(u8, &str) -> Result<(), E> + Send>, g: fn(u8) -> u8, h: dyn Any,
            c: Pin<Box<dyn Future<Output = Result<T>> + Send + 'static>>, i: impl Iterator<Item: Clone>, j: <A as B>::C }",
        "
Struct S
  .f: Box[dyn[(Fn[((u8, &str,), Result[((), E,)],)], Send,)]]
  .g: unknown[]
  .h: dyn[Any]
  .c: Pin[Box[dyn[(Future[Output:=Result[T]], Send,)]]]
  .i: impl[Iterator[Item:=impl[Clone]]]
  .j: A::C",
    );
}

#[test]
fn functions_have_generics_patterns_and_returns() {
    items(
        "pub fn f<C: ConnectionLike, F>(c: &mut C, State(db): State<Db>, mut x: u8, _: impl Into<String>, f: F)
            -> impl Future<Output = u8> where F: Fn() -> C, Vec<C>: X {}
         async unsafe fn g(&mut self) {} fn k(mut self: Arc<Self>) {} pub(self) fn h() {} pub(crate) fn i() {}",
        "
pub fn f<C: ConnectionLike, F: Fn[((,), C,)]>(c: &C, State(db): State[Db], x: u8, _: impl[Into[String]], f: F) -> impl[Future[Output:=u8]]
async fn g(self)
fn k(self: Arc[Self])
fn h()
pub fn i()",
    );
}

#[test]
fn variants_keep_payloads_and_attributes() {
    items(
        "enum Command { Stop = 1, Open(Client, u8), #[command(name = \"s\")] Serve { #[arg(long, env = \"A_MONGODB_HOST\")] host: String } }",
        "
Enum Command
  .Stop
  .Open: (Client, u8,)
    .0: Client
    .1: u8
  .Serve: (String,) @command(name=\"s\")
    .host: String @arg(long, env=\"A_MONGODB_HOST\")",
    );
}

#[test]
fn traits_and_impls_hold_methods_types_and_constants() {
    items(
        "trait Store: Send + Sync { type Conn: Connect + Clone; type Id = u8; type Any; const N: u8 = 3;
            async fn get(&self, key: &str) -> Result<String>; fn all(self: Arc<Self>) { self.get(\"x\"); } }
         impl<C> Store for Wrapper<C> where C: Clone { type Conn = C; const N: u8 = 4;
            async fn get(&self, key: &str) -> Result<String> { self.0.get(key).await } }
         impl<C> Wrapper<C> { fn ping<T>(&self) where C: Ping {} }",
        "
Trait Store: Send, Sync
  Alias Conn: impl[(Connect, Clone,)]
  Alias Id: u8
  Alias Any
  set N: u8 = 3
  pub async fn get(self, key: &str) -> Result[String];
  pub fn all(self: Arc[Self])
    do self.get(\"x\")
impl<C: Clone> Store for Wrapper[C]
  type Conn = C
  set N: u8 = 4
  pub async fn get(self, key: &str) -> Result[String]
    value await(self.0.get(key))
impl<C> Wrapper[C]
  fn ping<T, C: Ping>(self)",
    );
}

#[test]
fn owners_of_functions_are_known() {
    let module = parse(
        "fn free() { fn nested() {} } mod m { fn inside() {} } trait T { fn method(); }
         impl S { fn member() { let c = || 1; } } fn outer() { impl S { fn local() {} } }",
    );
    let owner = |name: &str| {
        let func = module
            .funcs
            .iter()
            .find(|func| func.name.is_some_and(|n| n.as_str() == name))
            .unwrap();
        let class = func.class.map_or("-", |id| module.class(id).name.as_str());
        let parent = func
            .parent
            .and_then(|id| module.func(id).name)
            .map_or("-", |name| name.as_str());
        (class, parent, func.imp.map(|id| id.0))
    };
    assert_eq!(owner("free"), ("-", "-", None));
    assert_eq!(owner("nested"), ("-", "free", None));
    assert_eq!(owner("inside"), ("m", "-", None));
    assert_eq!(owner("method"), ("T", "-", None));
    assert_eq!(owner("member"), ("-", "-", Some(0)));
    assert_eq!(owner("local"), ("-", "outer", Some(1)));
    let closure = module.funcs.iter().find(|func| func.name.is_none()).unwrap();
    assert_eq!(
        (
            closure.imp,
            closure.parent.map(|id| module.func(id).name.unwrap().as_str())
        ),
        (None, Some("member"))
    );
    assert_eq!(
        module.impls[1].parent.map(|id| module.func(id).name.unwrap().as_str()),
        Some("outer")
    );
}

#[test]
fn constants_and_statics_are_assignments() {
    items(
        "type Db = mongodb::Database; const URL: &str = \"mongodb://h/?retryWrites=false\";
         static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::open(URL).unwrap());",
        "
Alias Db: mongodb::Database
set URL: &str = \"mongodb://h/?retryWrites=false\"
set CLIENT: LazyLock[Client] = LazyLock::new(\\(){value Client::open(URL).unwrap()})",
    );
}

#[test]
fn lazy_statics_are_assignments_of_a_closure() {
    items(
        "lazy_static! { /// doc\n #[allow(x)] pub static ref POOL: Pool<M> = Pool::new(M).unwrap(); static ref N: u8 = { let x = 1; x }; }
         thread_local! { static T: RefCell<u8> = const { RefCell::new(1) } }",
        "
set POOL: Pool[M] = lazy_static!(\\(){value Pool::new(M).unwrap()})
set N: u8 = lazy_static!(\\(){let x = 1; value x})
set T: RefCell[u8] = thread_local!(\\(){value RefCell::new(1)})",
    );
}

#[test]
fn macros_around_items_are_looked_into() {
    items(
        "cfg_if! { if #[cfg(unix)] { pub fn a() {} } else { use w::x; } } cfg_rt! { fn b() {} } macro_rules! m { ($x:expr) => { $x.unwrap() } }
         table! { users (id) { id -> Int4, } } extern \"C\" { fn c(a: u8) -> u8; }
         impl S { forward! { pub fn d(&self) {} } }",
        "
pub fn a()
use [w] x
fn b()
do table!()
fn c(a: u8) -> u8;
impl S
  pub fn d(self)",
    );
}

#[test]
fn attributes_are_decorators() {
    items(
        "#[tokio::main(flavor = \"current_thread\")] #[instrument(skip(self, db), fields(id = %x), err)] #[inline]
         #[cfg_attr(a, arg(env = \"X\"))] #[doc = \"text\"] #[link = \"x\"] /// doc\n fn main() {}",
        "
@tokio::main(flavor=\"current_thread\")
@instrument(skip(self, db), unknown[], err)
@inline
@cfg_attr(a, arg(env=\"X\"))
@link(\"x\")
fn main()",
    );
}

#[test]
fn test_code_is_marked() {
    items(
        "#[cfg(all(test, unix))] mod t { fn helper() {} impl S { fn m() {} } } #[tokio::test] async fn a() { fn inner() {} }
         #[rstest] fn b() {} #[cfg(any(test, feature = \"x\"))] mod n { fn c() {} } #[cfg(not(test))] fn d() {} #[cfg(feature = \"test\")] fn e() {}
         #[cfg(test)] impl S { fn g() {} }",
        "
@cfg(all(test, unix))
test Module t
  test fn helper()
@tokio::test
test async fn a()
  test fn inner()
@rstest
test fn b()
@cfg(any(test, feature=\"x\"))
Module n
  fn c()
@cfg(not(test))
fn d()
@cfg(feature=\"test\")
test fn e()
impl S
  test fn m()
impl S
  test fn g()",
    );
    assert!(parse("#![cfg(test)] fn a() {}").funcs[0].is_test);
}
