"""What is claimed, for which library, version and server, and by which probe it is proved.

A claim takes the library file (for one version) and what the probe's calls did, and gives what the file says, in words, and
whether it held. What a call did is a list: empty if it worked, else the classes of what it raised.
"""

from .library import release


def short(loss):
    return " or ".join(c.rsplit(".", 1)[-1] for c in loss["classes"])


def repeats(behaviour, *on):
    """The driver repeats a call whose connection is cut under way, or does not, as its behaviour says."""

    def claim(library, did):
        retry = library.retry(behaviour, on)
        flags = f" ({', '.join(on)})" if on else ""
        if retry == "never":
            loss = library.losses()
            return f"`{behaviour}`{flags} is never repeated: {short(loss)}", library.caught(did[0], loss["classes"])
        return f"`{behaviour}`{flags} is repeated ({retry})", did[0] == []

    return claim


def twice(behaviour, *on):
    """What is repeated may be done twice (RL201)."""

    def claim(library, did):
        if library.retry(behaviour, on) == "never":
            return "an INCR that is cut off counts once: nothing repeats it", did[1] == []
        return "an INCR that is cut off counts twice: the driver repeats it", did[1] == ["counted twice"]

    return claim


def dead(key, flag=None):
    """A bare connection: the first call raises the documented loss, the second what is said to follow, and so on."""

    def claim(library, did):
        loss = library.losses(key, flag)
        later = loss.get("then") or loss["classes"]
        held = library.kind(key) == "bare" and library.caught(did[0], loss["classes"]) and library.caught(did[1], later)
        return f"{key} is bare: {short(loss)}, then {short({'classes': later})}, for ever", held

    return claim


def pooled(key, seen, flag=None, kind="pooled"):
    """The second call has a fresh connection. `seen`: the loss of an idle connection is noticed by the caller."""

    def claim(library, did):
        loss = library.losses(key, flag)
        held = library.kind(key) == kind and did[1] == []
        if seen is None:
            return f"{key} is {kind}: at most one call fails", held and (did[0] == [] or library.caught(did[0], loss["classes"]))
        if seen:
            return f"{key} is {kind}: one call fails with {short(loss)}", held and library.caught(did[0], loss["classes"])
        return f"{key} is {kind}: what died idle is replaced unnoticed", held and did[0] == []

    return claim


def passed_on(flag=None):
    """The driver's own error arrives."""

    def claim(library, did):
        loss = library.losses(flag=flag)
        return f"a loss in use arrives as {short(loss)}", library.caught(did[0], loss["classes"]) and did[1] == []

    return claim


def missing(option, on, flag=None):
    """Where RL302 speaks, the first call without the option fails."""

    def claim(library, did):
        if not library.offers(option, on):
            return f"no RL302 for `{option}` at {on}", None
        loss = library.losses(flag=flag)
        return f"RL302: without `{option}` at {on} a call fails with {short(loss)}", library.caught(did[0], loss["classes"])

    return claim


def heals(what):
    def claim(library, did):
        return f"with {what} nothing is noticed", all(d == [] for d in did)

    return claim


def alone(option, on):
    """Something that looks like the cure: RL302 speaks all the same where it is none."""

    def claim(library, did):
        if library.offers(option, on):
            return f"RL302: `retry` is nothing without `{option}`", library.caught(did[0], library.losses()["classes"])
        return "`retry` is enough by itself", did[0] == []

    return claim


def revives(path, **given):
    """The method makes the dead connection usable again, or does not."""

    def claim(library, did):
        arguments = ", ".join(f"{k}={v}" for k, v in given.items())
        if library.when(library.call(path), "revives", given):
            return f"{path}({arguments}) revives", did == [[], []]
        return f"{path}({arguments}) does not revive", bool(did[1])

    return claim


def revives_by(function):
    """A function that makes the dead connections of the thread usable again."""

    def claim(library, did):
        return f"{function}() revives", library.file["functions"][function].get("revives", False) and did == [[], []]

    return claim


def raises(path):
    """The class that the method's own entry names, else the library's loss."""

    def claim(library, did):
        named = library.when(library.call(path), "raises", {})
        classes = [named] if named else library.losses()["classes"]
        return f"{path} raises {short({'classes': classes})}", library.caught(did[0], classes)

    return claim


def broken(path):
    """RL303 speaks where it does not work, and nowhere else."""

    def claim(library, did):
        if library.broken(path):
            return f"RL303: {path} does not reconnect", any(d != [] for d in did)
        return f"{path} is not known as broken", did[-1] == [] and did[0] == []

    return claim


def blind(path, text):
    """An attribute or method that does not notice the loss."""

    def claim(library, did):
        key, name = path.split(".")
        listed = any(name in s.get("blind", []) for s in library.lineage(key))
        return f"{path} is blind: {text}", listed and did[0] != []

    return claim


def in_transaction(library, did):
    """What a loss within a transaction raises: the loss, or what is said to follow."""
    loss = library.losses()
    names = {"classes": [*loss["classes"], *loss.get("then", [])]}
    return f"a loss in a transaction arrives as {short(names)}", library.caught(did[0], names["classes"])


def wrapped(library, did):
    """The driver's class is no base of what arrives."""
    return "the driver's errors arrive wrapped", did[0] != [] and not library.lookalike(did[0])


def fails(text):
    def claim(library, did):
        return text, did[0] != []

    return claim


def ambient(library, did):
    """A connection of the thread, outside of requests: dead for ever."""
    loss = library.losses()
    later = [*loss["classes"], *loss["then"]]
    held = library.kind("connection") == "ambient" and library.caught(did[0], loss["classes"])
    return f"outside of requests the connection stays dead: {short(loss)}", held and library.caught(did[1], later)


REDIS = ["2.10.6", "3.0.1", "3.1.0", "3.3.0", "3.5.3", "4.0.2", "4.6.0", "5.0.8", "5.3.1", "6.4.0", "7.1.1", "7.4.1", "8.0.0", "8.1.0"]

DJANGO = [
    ("django_default", heals("CONN_MAX_AGE=0, between requests,")),
    ("django_max_age", missing("CONN_HEALTH_CHECKS", "connection")),
    ("django_max_age", wrapped),
    ("django_command", ambient),
    ("django_command_close_old", revives_by("django.db.close_old_connections")),
    ("django_command_close", revives("connection.close")),
    ("django_command_ensure", revives("connection.ensure_connection")),
]

PEEWEE = [
    ("peewee_plain", dead("database")),
    ("peewee_plain", wrapped),
    ("peewee_close", revives("database.close")),
    ("peewee_reuse", revives("database.connect", reuse_if_open=True)),
    ("peewee_is_closed", blind("database.is_closed", "False after a loss")),
    ("peewee_context", heals("connection_context() for each unit of work")),
]

# (library file, package, versions, further requirements, server, [(probe, claim), ..])
CLAIMS = [
    ("redis", "redis", REDIS, ["packaging", "PyJWT"], "redis", [
        ("redis_host", repeats("command")),
        ("redis_from_url", repeats("command", "plain")),
        ("redis_pool", repeats("command", "plain")),
        ("redis_pipeline_host", repeats("pipeline")),
        ("redis_pipeline_host", twice("pipeline")),
        ("redis_pipeline_from_url", repeats("pipeline", "plain")),
        ("redis_listen_host", repeats("pubsub")),
        ("redis_listen_from_url", repeats("pubsub", "plain")),
        ("redis_sentinel", repeats("command", "plain")),
    ]),
    ("redis", "redis", [v for v in REDIS if v != "3.1.0"], ["packaging", "PyJWT"], "redis", [
        ("redis_idle", pooled("client", seen=False)),
    ]),
    ("redis", "redis", ["3.1.0"], ["packaging", "PyJWT"], "redis", [("redis_idle", pooled("client", seen=True))]),
    ("redis", "redis", [v for v in REDIS if release(v) >= (4, 1)], ["packaging", "PyJWT"], "redis", [
        ("redis_host", missing("retry_on_error", "client")),
        ("redis_from_url", missing("retry_on_error", "redis.from_url")),
        ("redis_from_url", missing("retry", "redis.from_url")),
        ("redis_pool", missing("retry", "connection_pool")),
        ("redis_sentinel", missing("retry", "sentinel.master_for")),
        ("redis_retry_alone", alone("retry_on_error", "redis.from_url")),
        ("redis_retry_on_error_alone", repeats("command", "plain", "retry_on_error")),
        ("redis_retry", heals("a policy given to from_url")),
        ("redis_pool_retry", heals("a policy given to the pool")),
        ("redis_sentinel_retry", heals("a policy given to master_for")),
        ("redis_pipeline_retry", repeats("pipeline", "plain", "retry", "retry_on_error")),
        ("redis_listen_retry", repeats("pubsub", "plain", "retry", "retry_on_error")),
    ]),
    ("redis", "redis", [v for v in REDIS if release(v) >= (4, 3)], ["packaging", "PyJWT"], "redis", [
        ("redis_async_host", repeats("command")),
        ("redis_async_from_url", repeats("command", "plain")),
        ("redis_async_from_url", missing("retry", "redis.asyncio.from_url")),
        ("redis_async_retry", heals("a policy of redis.asyncio given to redis.asyncio.from_url")),
        ("redis_async_idle_retry", heals("a policy of redis.asyncio given to redis.asyncio.from_url")),
        ("redis_async_wrong_retry", fails("RL303: a policy of redis.retry repeats nothing in redis.asyncio")),
        ("redis_wrong_retry", fails("RL303: a policy of redis.asyncio.retry fails in a synchronous client")),
    ]),
    ("redis", "redis", ["4.6.0"], ["packaging", "PyJWT"], "redis", [
        ("redis_async_idle", pooled("async_client", seen=True)),
    ]),
    ("redis", "redis", [v for v in REDIS if release(v) >= (5,)], ["packaging", "PyJWT"], "redis", [
        ("redis_async_idle", broken("redis.asyncio.from_url")),
    ]),
    ("pymysql", "PyMySQL", ["0.9.3", "1.0.2", "1.1.1", "1.1.3", "1.2.4"], [], "mysql", [
        ("pymysql_held", dead("connection")),
        ("pymysql_ping", revives("connection.ping")),
        ("pymysql_ping_true", revives("connection.ping", reconnect=True)),
        ("pymysql_ping_false", revives("connection.ping", reconnect=False)),
        ("pymysql_connect", revives("connection.connect")),
        ("pymysql_ping", broken("connection.ping")),
        ("pymysql_open", blind("connection.open", "true after the connection died idle")),
        ("pymysql_transaction", fails("RL203: reviving within a transaction drops what came before, silently")),
    ]),
    ("mysqlclient", "mysqlclient", ["2.1.1", "2.2.4", "2.3.1"], [], "mysql", [
        ("mysqlclient_held", dead("connection")),
        ("mysqlclient_ping", revives("connection.ping")),
        ("mysqlclient_ping_true", revives("connection.ping", reconnect=True)),
        ("mysqlclient_open", blind("connection.open", "true even after a call has failed")),
        ("mysqlclient_transaction", fails("RL203: reviving within a transaction drops what came before, silently")),
    ]),
    ("mysql_connector", "mysql-connector-python", ["8.0.33", "9.5.0", "26.10.0"], [], "mysql", [
        ("connector_held", dead("connection")),
        ("connector_ping", revives("connection.ping")),
        ("connector_ping_true", revives("connection.ping", reconnect=True)),
        ("connector_reconnect", revives("connection.reconnect")),
        ("connector_commit", raises("connection.commit")),
        ("connector_is_connected", heals("is_connected() the loss is seen before use:")),
        ("connector_pool", pooled("pool", seen=False)),
        ("connector_pool_held", dead("pooled_connection")),
    ]),
    ("aiomysql", "aiomysql", ["0.1.1", "0.2.0", "0.3.2"], ["PyMySQL==1.1.1"], "mysql", [
        ("aiomysql_held", dead("connection")),
        ("aiomysql_ping", revives("connection.ping")),
        ("aiomysql_ping_false", revives("connection.ping", reconnect=False)),
        ("aiomysql_pool", pooled("pool", seen=False)),
        ("aiomysql_pool_in_flight", pooled("pool", seen=True)),
    ]),
    ("asyncmy", "asyncmy", ["0.2.10", "0.2.13", "0.2.14", "0.2.15", "0.2.16", "0.2.17", "0.2.18"], [], "mysql", [
        ("asyncmy_held", dead("connection")),
        ("asyncmy_ping", revives("connection.ping")),
        ("asyncmy_ping", broken("connection.ping")),
        ("asyncmy_pool", pooled("pool", seen=False)),
        ("asyncmy_pool_in_flight", pooled("pool", seen=True)),
    ]),
    ("psycopg2", "psycopg2-binary", ["2.9.3", "2.9.9", "2.9.13"], [], "postgresql", [
        ("psycopg2_held", dead("connection")),
        ("psycopg2_pool", pooled("pool", seen=True)),
    ]),
    ("psycopg", "psycopg[binary]", ["3.1.18", "3.2.3", "3.3.9"], [], "postgresql", [
        ("psycopg_held", dead("connection")),
    ]),
    ("psycopg_pool", "psycopg-pool", ["3.1.9", "3.2.0", "3.2.8", "3.3.3"], ["psycopg[binary]==3.2.3"], "postgresql", [
        ("psycopg_pool_plain", pooled("pool", seen=True)),
        ("psycopg_pool_plain", missing("check", "psycopg_pool.ConnectionPool")),
    ]),
    ("psycopg_pool", "psycopg-pool", ["3.2.0", "3.2.8", "3.3.3"], ["psycopg[binary]==3.2.3"], "postgresql", [
        ("psycopg_pool_check", heals("`check`")),
    ]),
    ("asyncpg", "asyncpg", ["0.27.0", "0.29.0", "0.32.0"], [], "postgresql", [
        ("asyncpg_held", dead("connection")),
        ("asyncpg_in_flight", dead("connection")),
        ("asyncpg_pool", pooled("pool", seen=False)),
        ("asyncpg_pool_in_flight", pooled("pool", seen=True)),
    ]),
    *[
        ("sqlalchemy", "SQLAlchemy", ["1.4.54", "2.0.36", "2.1.9"], [driver, "greenlet"], server, [
            ("sa_plain", pooled("engine", seen=True)),
            ("sa_plain", missing("pool_pre_ping", "sqlalchemy.create_engine")),
            ("sa_plain", wrapped),
            ("sa_recycle", missing("pool_pre_ping", "sqlalchemy.create_engine")),
            ("sa_pre_ping", heals("`pool_pre_ping=True`")),
            ("sa_null_pool", heals("`poolclass=NullPool`")),
            ("sa_listener", heals("a listener that raises DisconnectionError")),
            ("sa_session", dead("session")),
            ("sa_session_rollback", revives("session.rollback")),
            ("sa_session_close", revives("session.close")),
            ("sa_scoped_remove", revives("scoped_session.remove")),
        ])
        for server, driver in (("mysql", "PyMySQL==1.1.1"), ("postgresql", "psycopg2-binary==2.9.9"))
    ],
    ("sqlalchemy", "SQLAlchemy", ["1.4.54"], ["PyMySQL==1.1.1"], "mysql", [
        ("sa_connection", pooled("legacy_connection", seen=True)),
    ]),
    ("sqlalchemy", "SQLAlchemy", ["2.0.36", "2.1.9"], ["PyMySQL==1.1.1"], "mysql", [
        ("sa_connection", dead("connection")),
        ("sa_connection_rollback", revives("connection.rollback")),
    ]),
    ("sqlalchemy", "SQLAlchemy", ["1.4.54", "2.0.36", "2.1.9"], ["asyncpg==0.29.0", "greenlet"], "postgresql", [
        ("sa_asyncpg_plain", pooled("async_engine", seen=True, flag="asyncpg")),
        ("sa_asyncpg_plain", missing("pool_pre_ping", "sqlalchemy.ext.asyncio.create_async_engine", flag="asyncpg")),
        ("sa_asyncpg_pre_ping", heals("`pool_pre_ping=True`")),
    ]),
    ("sqlalchemy", "SQLAlchemy", ["1.4.54", "2.0.36", "2.1.9"], ["aiomysql==0.2.0", "PyMySQL==1.1.1", "greenlet"], "mysql", [
        ("sa_aiomysql_plain", pooled("async_engine", seen=True)),
        ("sa_aiomysql_pre_ping", heals("`pool_pre_ping=True`")),
    ]),
    ("flask_sqlalchemy", "Flask-SQLAlchemy", ["2.5.1"], ["Flask<2.3", "Werkzeug<2.3", "SQLAlchemy==1.4.54", "PyMySQL==1.1.1"], "mysql", [
        ("flask_plain", pooled("extension", seen=True)),
        ("flask_plain", missing("pool_pre_ping", "extension")),
        ("flask_pre_ping", heals("`pool_pre_ping` in SQLALCHEMY_ENGINE_OPTIONS")),
    ]),
    ("flask_sqlalchemy", "Flask-SQLAlchemy", ["3.0.5", "3.1.1"], ["Flask==3.0.3", "SQLAlchemy==2.0.36", "PyMySQL==1.1.1"], "mysql", [
        ("flask_plain", pooled("extension", seen=True)),
        ("flask_plain", missing("pool_pre_ping", "extension")),
        ("flask_pre_ping", heals("`pool_pre_ping` in SQLALCHEMY_ENGINE_OPTIONS")),
    ]),
    ("django", "Django", ["3.2.25", "4.0.10", "4.2.16"], ["psycopg2-binary==2.9.9"], "postgresql", DJANGO),
    ("django", "Django", ["5.2.1", "5.2.19"], ["psycopg[binary]==3.2.3", "psycopg-pool==3.2.8"], "postgresql", DJANGO),
    ("django", "Django", ["4.2.16"], ["psycopg2-binary==2.9.9"], "postgresql", [
        ("django_health_checks", heals("CONN_HEALTH_CHECKS, between requests,")),
    ]),
    ("django", "Django", ["5.2.1", "5.2.19"], ["psycopg[binary]==3.2.3", "psycopg-pool==3.2.8"], "postgresql", [
        ("django_health_checks", heals("CONN_HEALTH_CHECKS, between requests,")),
        ("django_pool", missing("CONN_HEALTH_CHECKS", "connection")),
        ("django_pool_checked", heals("CONN_HEALTH_CHECKS and a pool, between requests,")),
    ]),
    ("peewee", "peewee", ["3.8.2", "3.17.6", "4.5.3"], ["PyMySQL==1.1.1"], "mysql", [
        *PEEWEE,
        ("peewee_mixin", repeats("statement", "reconnecting")),
        ("peewee_mixin_behind", dead("database")),
    ]),
    ("peewee", "peewee", ["3.17.6", "4.5.3"], ["psycopg2-binary==2.9.9"], "postgresql", [
        *PEEWEE,
        ("peewee_mixin", broken("playhouse.shortcuts.ReconnectMixin")),
        ("peewee_mixin_errors", heals("`reconnect_errors` of its own the mixin works on PostgreSQL:")),
    ]),
    ("databases", "databases", ["0.9.0"], ["asyncpg==0.29.0"], "postgresql", [
        ("databases_idle", pooled("database", seen=False)),
        ("databases_in_flight", passed_on("asyncpg")),
    ]),
    ("databases", "databases", ["0.9.0"], ["aiomysql==0.2.0", "PyMySQL==1.1.1"], "mysql", [
        ("databases_idle", pooled("database", seen=False)),
        ("databases_in_flight", passed_on("aiomysql")),
    ]),
    *[
        ("tortoise", "tortoise-orm", versions, more, server, [
            ("tortoise_idle", pooled("client", seen=False)),
            ("tortoise_in_flight", passed_on()),
            ("tortoise_transaction", in_transaction),
        ])
        for server, versions, more in (
            ("postgresql", ["0.21.7", "1.1.9"], ["asyncpg==0.29.0"]),
            ("postgresql", ["1.1.9"], ["psycopg[binary]==3.2.3", "psycopg-pool==3.2.8"]),
            ("mysql", ["0.21.7", "1.1.9"], ["asyncmy==0.2.18"]),
        )
    ],
    ("tortoise", "tortoise-orm", ["0.21.7"], ["psycopg[binary]==3.2.3", "psycopg-pool==3.2.8"], "postgresql", [
        ("tortoise_idle", pooled("client", seen=True)),
        ("tortoise_in_flight", passed_on()),
        ("tortoise_transaction", in_transaction),
    ]),
]
