"""PyMySQL, mysqlclient, MySQL Connector/Python, psycopg2, psycopg, psycopg_pool."""

from common import HERE, cut, did, probe


def mysql(module, **options):
    return module.connect(host="127.0.0.1", port=HERE["port"], user="app", password="pw", database="t", **options)


def dsn():
    return f"host=127.0.0.1 port={HERE['port']} user=postgres dbname=postgres"


def select(conn, sql="SELECT 1"):
    cur = conn.cursor()
    cur.execute(sql)
    cur.fetchall()
    cur.close()


def held(conn, revive=None):
    """Cut while idle, then two statements on the same connection; with `revive` that before them."""
    select(conn)
    cut()
    if revive:
        return [did(lambda: revive(conn)), did(lambda: select(conn))]
    return [did(lambda: select(conn)), did(lambda: select(conn))]


def dropped_transaction(conn, revive):
    """A statement, a cut, a revival, another statement, a commit: what is in the table?"""
    conn.autocommit(False) if callable(conn.autocommit) else setattr(conn, "autocommit", False)
    cur = conn.cursor()
    cur.execute("CREATE TABLE IF NOT EXISTS moves (id INT)")
    cur.execute("DELETE FROM moves")
    conn.commit()
    cur.execute("INSERT INTO moves VALUES (1)")
    cut()
    revive(conn)
    cur = conn.cursor()
    cur.execute("INSERT INTO moves VALUES (2)")
    conn.commit()
    cur.execute("SELECT id FROM moves")
    rows = [row[0] for row in cur.fetchall()]
    return [[] if rows == [1, 2] else [f"rows {rows}"]]


def pymysql_conn():
    import pymysql

    return mysql(pymysql)


@probe
def pymysql_held():
    return held(pymysql_conn())


@probe
def pymysql_ping():
    return held(pymysql_conn(), lambda c: c.ping())


@probe
def pymysql_ping_true():
    return held(pymysql_conn(), lambda c: c.ping(reconnect=True))


@probe
def pymysql_ping_false():
    return held(pymysql_conn(), lambda c: c.ping(reconnect=False))


@probe
def pymysql_connect():
    return held(pymysql_conn(), lambda c: c.connect())


@probe
def pymysql_open():
    """Does `conn.open` notice?"""
    conn = pymysql_conn()
    select(conn)
    cut()
    return [["open stays true"] if conn.open else []]


@probe
def pymysql_transaction():
    return dropped_transaction(pymysql_conn(), lambda c: c.ping(reconnect=True))


def mysqlclient_conn():
    import MySQLdb

    return mysql(MySQLdb)


@probe
def mysqlclient_held():
    return held(mysqlclient_conn())


@probe
def mysqlclient_ping():
    return held(mysqlclient_conn(), lambda c: c.ping())


@probe
def mysqlclient_ping_true():
    return held(mysqlclient_conn(), lambda c: c.ping(True))


@probe
def mysqlclient_open():
    conn = mysqlclient_conn()
    select(conn)
    cut()
    did(lambda: select(conn))
    return [["open stays true"] if conn.open else []]


@probe
def mysqlclient_transaction():
    return dropped_transaction(mysqlclient_conn(), lambda c: c.ping(True))


def connector_conn(**options):
    import mysql.connector

    return mysql_connector_connect(mysql.connector, **options)


def mysql_connector_connect(module, **options):
    options = {"charset": "utf8mb4", "collation": "utf8mb4_general_ci", **options}
    return mysql(module, **options)


@probe
def connector_held():
    return held(connector_conn())


@probe
def connector_ping():
    return held(connector_conn(), lambda c: c.ping())


@probe
def connector_ping_true():
    return held(connector_conn(), lambda c: c.ping(reconnect=True))


@probe
def connector_reconnect():
    return held(connector_conn(), lambda c: c.reconnect())


@probe
def connector_commit():
    conn = connector_conn()
    select(conn)
    cut()
    return [did(conn.commit)]


@probe
def connector_is_connected():
    conn = connector_conn()
    select(conn)
    cut()
    return [["says connected"] if conn.is_connected() else []]


@probe
def connector_pool():
    import mysql.connector.pooling as pooling

    pool = pooling.MySQLConnectionPool(
        pool_size=1, host="127.0.0.1", port=HERE["port"], user="app", password="pw", database="t",
        charset="utf8mb4", collation="utf8mb4_general_ci",
    )

    def unit():
        conn = pool.get_connection()
        try:
            select(conn)
        finally:
            conn.close()

    unit()
    cut()
    return [did(unit), did(unit)]


@probe
def connector_pool_held():
    return held(connector_conn(pool_name="prove", pool_size=1))


@probe
def psycopg2_held():
    import psycopg2

    return held(psycopg2.connect(dsn()))


@probe
def psycopg2_pool():
    import psycopg2.pool

    pool = psycopg2.pool.SimpleConnectionPool(1, 1, dsn())

    def unit():
        conn = pool.getconn()
        try:
            select(conn)
        finally:
            pool.putconn(conn)

    unit()
    cut()
    return [did(unit), did(unit)]


@probe
def psycopg_held():
    import psycopg

    return held(psycopg.connect(dsn()))


def psycopg_pool_of(**options):
    import psycopg_pool

    if options:
        options = {"check": psycopg_pool.ConnectionPool.check_connection}
    with psycopg_pool.ConnectionPool(dsn(), min_size=1, max_size=1, **options) as pool:

        def unit():
            with pool.connection() as conn:
                select(conn)

        unit()
        cut()
        return [did(unit), did(unit)]


@probe
def psycopg_pool_plain():
    return psycopg_pool_of()


@probe
def psycopg_pool_check():
    return psycopg_pool_of(check=True)
