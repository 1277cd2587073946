"""SQLAlchemy and Flask-SQLAlchemy."""

from common import HERE, asynchronous, cut, cut_async, did, did_async, probe


def sa_url(driver=None):
    if HERE["server"] == "mysql":
        return f"{driver or 'mysql+pymysql'}://app:pw@127.0.0.1:{HERE['port']}/t"
    return f"{driver or 'postgresql+psycopg2'}://postgres@127.0.0.1:{HERE['port']}/postgres"


def sa_query(engine):
    from sqlalchemy import text

    with engine.connect() as conn:
        conn.execute(text("SELECT 1")).scalar()


def sa_idle(engine, keeps=True):
    sa_query(engine)
    cut(must=keeps)
    return [did(lambda: sa_query(engine)), did(lambda: sa_query(engine))]


@probe
def sa_plain():
    from sqlalchemy import create_engine

    return sa_idle(create_engine(sa_url()))


@probe
def sa_pre_ping():
    from sqlalchemy import create_engine

    return sa_idle(create_engine(sa_url(), pool_pre_ping=True))


@probe
def sa_recycle():
    from sqlalchemy import create_engine

    return sa_idle(create_engine(sa_url(), pool_recycle=280))


@probe
def sa_null_pool():
    from sqlalchemy import create_engine, pool

    return sa_idle(create_engine(sa_url(), poolclass=pool.NullPool), keeps=False)


@probe
def sa_listener():
    """The idiom from before pool_pre_ping."""
    from sqlalchemy import create_engine, event, exc

    engine = create_engine(sa_url())

    @event.listens_for(engine, "checkout")
    def look(connection, record, proxy):
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT 1")
            cursor.close()
        except Exception as error:
            raise exc.DisconnectionError from error

    return sa_idle(engine)


@probe
def sa_connection():
    """A Connection in use, with pool_pre_ping; then again, then again after rollback()."""
    from sqlalchemy import create_engine, text

    conn = create_engine(sa_url(), pool_pre_ping=True).connect()

    def query():
        conn.execute(text("SELECT 1")).scalar()

    query()
    cut()
    return [did(query), did(query)]


@probe
def sa_connection_rollback():
    from sqlalchemy import create_engine, text

    conn = create_engine(sa_url(), pool_pre_ping=True).connect()

    def query():
        conn.execute(text("SELECT 1")).scalar()

    query()
    cut()
    did(query)
    return [did(conn.rollback), did(query)]


def sa_session_of(after):
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import sessionmaker

    session = sessionmaker(bind=create_engine(sa_url(), pool_pre_ping=True))()

    def query():
        session.execute(text("SELECT 1")).scalar()

    query()
    cut()
    first = did(query)
    if after:
        return [did(lambda: after(session)), did(query)]
    return [first, did(query)]


@probe
def sa_session():
    return sa_session_of(None)


@probe
def sa_session_rollback():
    return sa_session_of(lambda session: session.rollback())


@probe
def sa_session_close():
    return sa_session_of(lambda session: session.close())


@probe
def sa_scoped_remove():
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import scoped_session, sessionmaker

    session = scoped_session(sessionmaker(bind=create_engine(sa_url())))

    def query():
        session.execute(text("SELECT 1")).scalar()

    query()
    cut()
    did(query)
    return [did(session.remove), did(query)]


async def sa_async_of(driver, **options):
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(sa_url(driver), **options)

    async def query():
        async with engine.connect() as conn:
            (await conn.execute(text("SELECT 1"))).scalar()

    await query()
    await cut_async()
    outcome = [await did_async(query), await did_async(query)]
    await engine.dispose()
    return outcome


@asynchronous
async def sa_asyncpg_plain():
    return await sa_async_of("postgresql+asyncpg")


@asynchronous
async def sa_asyncpg_pre_ping():
    return await sa_async_of("postgresql+asyncpg", pool_pre_ping=True)


@asynchronous
async def sa_aiomysql_plain():
    return await sa_async_of("mysql+aiomysql")


@asynchronous
async def sa_aiomysql_pre_ping():
    return await sa_async_of("mysql+aiomysql", pool_pre_ping=True)


# --- Flask-SQLAlchemy ----------------------------------------------------------------------------------------------------


def flask_requests(**config):
    """Two requests after a cut."""
    from flask import Flask
    from flask_sqlalchemy import SQLAlchemy
    from sqlalchemy import text

    app = Flask("prove")
    app.config.update(SQLALCHEMY_DATABASE_URI=sa_url(), SQLALCHEMY_TRACK_MODIFICATIONS=False, TESTING=True, **config)
    db = SQLAlchemy(app)

    @app.route("/")
    def query():
        return str(db.session.execute(text("SELECT 1")).scalar())

    def request():
        app.test_client().get("/")

    request()
    cut()
    return [did(request), did(request)]


@probe
def flask_plain():
    return flask_requests()


@probe
def flask_pre_ping():
    return flask_requests(SQLALCHEMY_ENGINE_OPTIONS={"pool_pre_ping": True})
