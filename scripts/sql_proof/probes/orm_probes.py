"""Django, peewee, databases, Tortoise."""

import asyncio

from common import HERE, asynchronous, cut, cut_async, did, did_async, probe, release


def django_setup(**options):
    import django
    from django.conf import settings

    database = {
        "ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": str(HERE["port"]), "USER": "postgres",
        "NAME": "postgres", **options,
    }
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=[])
    django.setup()


def django_query():
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def django_requests(**options):
    """Two requests, as far as the database sees them, after a cut."""
    from django.core import signals

    django_setup(**options)

    def request():
        signals.request_started.send(sender=None)
        try:
            django_query()
        finally:
            signals.request_finished.send(sender=None)

    request()
    cut(must="CONN_MAX_AGE" in options or "OPTIONS" in options)
    return [did(request), did(request)]


@probe
def django_default():
    return django_requests()


@probe
def django_max_age():
    return django_requests(CONN_MAX_AGE=600)


@probe
def django_health_checks():
    return django_requests(CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True)


@probe
def django_pool():
    return django_requests(OPTIONS={"pool": {"min_size": 1, "max_size": 1}})


@probe
def django_pool_checked():
    return django_requests(OPTIONS={"pool": {"min_size": 1, "max_size": 1}}, CONN_HEALTH_CHECKS=True)


def django_loop(revive=None):
    """No request, no boundary: two queries after a cut; with `revive` that after the first failure."""
    django_setup()
    django_query()
    cut()
    if revive:
        did(django_query)
        return [did(revive), did(django_query)]
    return [did(django_query), did(django_query)]


@probe
def django_command():
    return django_loop()


@probe
def django_command_close_old():
    from django.db import close_old_connections

    return django_loop(close_old_connections)


@probe
def django_command_close():
    from django.db import connection

    return django_loop(lambda: connection.close())


@probe
def django_command_ensure():
    from django.db import connection

    return django_loop(lambda: connection.ensure_connection())


# --- peewee --------------------------------------------------------------------------------------------------------------


def peewee_db(*bases, **attributes):
    import peewee

    base = peewee.MySQLDatabase if HERE["server"] == "mysql" else peewee.PostgresqlDatabase
    cls = type("Prove", (*bases, base) if not attributes.pop("behind", False) else (base, *bases), attributes)
    if HERE["server"] == "mysql":
        return cls("t", host="127.0.0.1", port=HERE["port"], user="app", password="pw")
    return cls("postgres", host="127.0.0.1", port=HERE["port"], user="postgres")


def peewee_held(db, revive=None):
    def query():
        db.execute_sql("SELECT 1").fetchone()

    db.connect()
    query()
    cut()
    if revive:
        did(query)
        return [did(lambda: revive(db)), did(query)]
    return [did(query), did(query)]


@probe
def peewee_plain():
    return peewee_held(peewee_db())


@probe
def peewee_mixin():
    from playhouse.shortcuts import ReconnectMixin

    return peewee_held(peewee_db(ReconnectMixin))


@probe
def peewee_mixin_behind():
    from playhouse.shortcuts import ReconnectMixin

    return peewee_held(peewee_db(ReconnectMixin, behind=True))


@probe
def peewee_mixin_errors():
    import peewee
    from playhouse.shortcuts import ReconnectMixin

    errors = (
        (peewee.OperationalError, "server closed the connection"),
        (peewee.InterfaceError, "connection already closed"),
        (peewee.OperationalError, "terminating connection"),
        (peewee.OperationalError, "the connection is closed"),
    )
    return peewee_held(peewee_db(ReconnectMixin, reconnect_errors=errors))


@probe
def peewee_close():
    return peewee_held(peewee_db(), lambda db: db.close())


@probe
def peewee_reuse():
    return peewee_held(peewee_db(), lambda db: db.connect(reuse_if_open=True))


@probe
def peewee_is_closed():
    db = peewee_db()
    db.connect()
    cut()
    did(lambda: db.execute_sql("SELECT 1"))
    return [[] if db.is_closed() else ["says open"]]


@probe
def peewee_context():
    db = peewee_db()

    def unit():
        with db.connection_context():
            db.execute_sql("SELECT 1").fetchone()

    unit()
    cut(must=False)
    return [did(unit), did(unit)]


# --- databases, Tortoise -------------------------------------------------------------------------------------------------


def databases_url():
    if HERE["server"] == "mysql":
        return f"mysql+aiomysql://app:pw@127.0.0.1:{HERE['port']}/t"
    return f"postgresql+asyncpg://postgres@127.0.0.1:{HERE['port']}/postgres"


@asynchronous
async def databases_idle():
    import databases

    db = databases.Database(databases_url(), min_size=1, max_size=1)
    await db.connect()
    await db.fetch_val("SELECT 1")
    await cut_async()
    await asyncio.sleep(0.2)
    return [await did_async(lambda: db.fetch_val("SELECT 1")), await did_async(lambda: db.fetch_val("SELECT 1"))]


@asynchronous
async def databases_in_flight():
    import databases

    db = databases.Database(databases_url(), min_size=1, max_size=1)
    await db.connect()
    sleep = "SELECT SLEEP(1.5)" if HERE["server"] == "mysql" else "SELECT pg_sleep(1.5)"
    task = asyncio.create_task(did_async(lambda: db.fetch_val(sleep)))
    await asyncio.sleep(0.4)
    await cut_async()
    return [await task, await did_async(lambda: db.fetch_val("SELECT 1"))]


async def tortoise_connection():
    from tortoise import Tortoise

    scheme = "mysql://app:pw" if HERE["server"] == "mysql" else f"{HERE['driver']}://postgres"
    name = "t" if HERE["server"] == "mysql" else "postgres"
    options = {"_enable_global_fallback": True} if release() >= (1,) else {}
    url = f"{scheme}@127.0.0.1:{HERE['port']}/{name}?minsize=1&maxsize=1"
    await Tortoise.init(db_url=url, modules={"models": ["__main__"]}, **options)
    if release() >= (1,):
        from tortoise import connections
    else:
        from tortoise.connection import connections
    return connections.get("default")


@asynchronous
async def tortoise_idle():
    conn = await tortoise_connection()
    await conn.execute_query("SELECT 1")
    await cut_async()
    await asyncio.sleep(0.2)
    return [
        await did_async(lambda: conn.execute_query("SELECT 1")), await did_async(lambda: conn.execute_query("SELECT 1")),
    ]


@asynchronous
async def tortoise_in_flight():
    conn = await tortoise_connection()
    sleep = "SELECT SLEEP(1.5)" if HERE["server"] == "mysql" else "SELECT pg_sleep(1.5)"
    task = asyncio.create_task(did_async(lambda: conn.execute_query(sleep)))
    await asyncio.sleep(0.4)
    await cut_async()
    return [await task, await did_async(lambda: conn.execute_query("SELECT 1"))]


@asynchronous
async def tortoise_transaction():
    from tortoise.transactions import in_transaction

    conn = await tortoise_connection()

    async def unit():
        async with in_transaction() as inner:
            await inner.execute_query("SELECT 1")
            await cut_async()
            await asyncio.sleep(0.2)
            await inner.execute_query("SELECT 1")

    return [await did_async(unit), await did_async(lambda: conn.execute_query("SELECT 1"))]
