"""aiomysql, asyncmy, asyncpg."""

import asyncio
import functools

from common import HERE, PROBES, asynchronous, cut_async, did_async


async def select_async(conn, sql="SELECT 1"):
    async with conn.cursor() as cur:
        await cur.execute(sql)
        await cur.fetchall()


async def held_async(conn, revive=None):
    await select_async(conn)
    await cut_async()
    first = (lambda: revive(conn)) if revive else (lambda: select_async(conn))
    return [await did_async(first), await did_async(lambda: select_async(conn))]


async def pooled_async(pool):
    async def unit():
        async with pool.acquire() as conn:
            await select_async(conn)

    await unit()
    await cut_async()
    await asyncio.sleep(0.2)
    return [await did_async(unit), await did_async(unit)]


async def pool_in_flight_async(pool):
    async def unit(sql="SELECT 1"):
        async with pool.acquire() as conn:
            await select_async(conn, sql)

    await unit()
    task = asyncio.create_task(did_async(lambda: unit("SELECT SLEEP(1.5)")))
    await asyncio.sleep(0.4)
    await cut_async()
    return [await task, await did_async(unit)]


def async_mysql():
    return {"host": "127.0.0.1", "port": HERE["port"], "user": "app", "password": "pw", "db": "t"}


def for_async_mysql(name):
    async def connect():
        return await __import__(name).connect(**async_mysql())

    async def pool():
        return await __import__(name).create_pool(minsize=1, maxsize=1, **async_mysql())

    async def held_():
        return await held_async(await connect())

    async def ping():
        return await held_async(await connect(), lambda c: c.ping())

    async def ping_false():
        return await held_async(await connect(), lambda c: c.ping(reconnect=False))

    async def pool_():
        return await pooled_async(await pool())

    async def pool_in_flight():
        return await pool_in_flight_async(await pool())

    for suffix, function in {
        "held": held_, "ping": ping, "ping_false": ping_false, "pool": pool_, "pool_in_flight": pool_in_flight,
    }.items():
        PROBES[f"{name}_{suffix}"] = functools.partial(lambda f: asyncio.run(f()), function)


for_async_mysql("aiomysql")
for_async_mysql("asyncmy")


@asynchronous
async def asyncpg_held():
    import asyncpg

    conn = await asyncpg.connect(host="127.0.0.1", port=HERE["port"], user="postgres", database="postgres")
    await conn.fetchval("SELECT 1")
    await cut_async()
    return [await did_async(lambda: conn.fetchval("SELECT 1")), await did_async(lambda: conn.fetchval("SELECT 1"))]


@asynchronous
async def asyncpg_in_flight():
    import asyncpg

    conn = await asyncpg.connect(host="127.0.0.1", port=HERE["port"], user="postgres", database="postgres")
    task = asyncio.create_task(did_async(lambda: conn.fetchval("SELECT pg_sleep(1.5)")))
    await asyncio.sleep(0.4)
    await cut_async()
    return [await task, await did_async(lambda: conn.fetchval("SELECT 1"))]


async def asyncpg_pool_of():
    import asyncpg

    return await asyncpg.create_pool(
        host="127.0.0.1", port=HERE["port"], user="postgres", database="postgres", min_size=1, max_size=1
    )


@asynchronous
async def asyncpg_pool():
    pool = await asyncpg_pool_of()
    await pool.fetchval("SELECT 1")
    await cut_async()
    return [await did_async(lambda: pool.fetchval("SELECT 1")), await did_async(lambda: pool.fetchval("SELECT 1"))]


@asynchronous
async def asyncpg_pool_in_flight():
    pool = await asyncpg_pool_of()
    task = asyncio.create_task(did_async(lambda: pool.fetchval("SELECT pg_sleep(1.5)")))
    await asyncio.sleep(0.4)
    await cut_async()
    return [await task, await did_async(lambda: pool.fetchval("SELECT 1"))]
