"""redis-py, redis.asyncio, Sentinel."""

import asyncio
import threading
import time

from common import HERE, asynchronous, cut, cut_async, cut_soon, did, did_async, probe, release


def redis_options(asynchronous=False, cross=False):
    """A retry policy as the help texts give it."""
    import redis
    from redis.backoff import ExponentialBackoff

    if asynchronous != cross:
        from redis.asyncio.retry import Retry
    else:
        from redis.retry import Retry
    options = {"retry": Retry(ExponentialBackoff(1, 0.1), 5)}
    if release() < (6,):
        options["retry_on_error"] = [redis.ConnectionError, redis.TimeoutError, OSError]
    return options


def redis_url():
    return f"redis://127.0.0.1:{HERE['port']}/0"


def redis_in_flight(client):
    client.ping()
    timer = cut_soon()
    outcome = did(lambda: client.blpop("prove:empty", 1 if release() >= (3,) else 2))
    timer.join()
    return [outcome, did(lambda: client.get("prove"))]


@probe
def redis_host():
    import redis

    return redis_in_flight(redis.Redis(port=HERE["port"]))


@probe
def redis_from_url():
    import redis

    return redis_in_flight(redis.from_url(redis_url()))


@probe
def redis_pool():
    import redis

    return redis_in_flight(redis.Redis(connection_pool=redis.ConnectionPool(port=HERE["port"])))


@probe
def redis_retry_alone():
    import redis

    return redis_in_flight(redis.from_url(redis_url(), retry=redis_options()["retry"]))


@probe
def redis_retry():
    import redis

    return redis_in_flight(redis.from_url(redis_url(), **redis_options()))


@probe
def redis_pool_retry():
    import redis

    return redis_in_flight(redis.Redis(connection_pool=redis.ConnectionPool(port=HERE["port"], **redis_options())))


@probe
def redis_retry_on_error_alone():
    import redis

    return redis_in_flight(redis.from_url(redis_url(), retry_on_error=[redis.ConnectionError]))


@probe
def redis_wrong_retry():
    import redis

    client = redis.from_url(redis_url(), **redis_options(cross=True))

    def get():
        # Some releases fail, others give a coroutine for a reply.
        if asyncio.iscoroutine(client.get("prove")):
            raise TypeError

    return [did(get)]


def redis_sentinel_client(**options):
    from redis.sentinel import Sentinel

    return Sentinel([("127.0.0.1", HERE["sentinel"])]).master_for("prove", **options)


@probe
def redis_sentinel():
    return redis_in_flight(redis_sentinel_client())


@probe
def redis_sentinel_retry():
    return redis_in_flight(redis_sentinel_client(**redis_options()))


@probe
def redis_idle():
    import redis

    client = redis.from_url(redis_url())
    client.set("prove", 1)
    cut()
    return [did(lambda: client.get("prove")), did(lambda: client.get("prove"))]


def redis_pipeline_of(client):
    """An INCR and a BLPOP that is cut off, in one pipeline: how often is the INCR done?"""
    client.delete("prove:hits")
    pipe = client.pipeline(transaction=False)
    pipe.incr("prove:hits")
    pipe.blpop("prove:empty", 1 if release() >= (3,) else 2)
    timer = cut_soon()
    outcome = did(pipe.execute)
    timer.join()
    return [outcome, [] if int(client.get("prove:hits") or 0) == 1 else ["counted twice"]]


@probe
def redis_pipeline_host():
    import redis

    return redis_pipeline_of(redis.Redis(port=HERE["port"]))


@probe
def redis_pipeline_from_url():
    import redis

    return redis_pipeline_of(redis.from_url(redis_url()))


@probe
def redis_pipeline_retry():
    import redis

    return redis_pipeline_of(redis.from_url(redis_url(), **redis_options()))


def redis_listen_of(client):
    """Cut while it listens, then a message: does the loop see it? And does the PubSub work on, if not?"""
    import redis

    events = client.pubsub()
    events.subscribe("prove")
    for _ in events.listen():
        break

    def publish():
        time.sleep(0.8)
        redis.Redis(port=HERE["port"]).publish("prove", "x")

    def wait_for_message():
        for message in events.listen():
            if message and message["type"] == "message":
                return

    timer = cut_soon()
    publisher = threading.Thread(target=publish)
    publisher.start()
    outcome = did(wait_for_message)
    timer.join()
    publisher.join()
    publisher = threading.Thread(target=publish)
    publisher.start()
    again = did(wait_for_message)
    publisher.join()
    return [outcome, again]


@probe
def redis_listen_host():
    import redis

    return redis_listen_of(redis.Redis(port=HERE["port"]))


@probe
def redis_listen_from_url():
    import redis

    return redis_listen_of(redis.from_url(redis_url()))


@probe
def redis_listen_retry():
    import redis

    return redis_listen_of(redis.from_url(redis_url(), **redis_options()))


async def redis_async_in_flight(client):
    await client.ping()
    task = asyncio.create_task(did_async(lambda: client.blpop("prove:empty", 1)))
    await asyncio.sleep(0.4)
    await cut_async()
    return [await task, await did_async(lambda: client.get("prove"))]


@asynchronous
async def redis_async_host():
    import redis.asyncio

    return await redis_async_in_flight(redis.asyncio.Redis(port=HERE["port"]))


@asynchronous
async def redis_async_from_url():
    import redis.asyncio

    return await redis_async_in_flight(redis.asyncio.from_url(redis_url()))


@asynchronous
async def redis_async_retry():
    import redis.asyncio

    return await redis_async_in_flight(redis.asyncio.from_url(redis_url(), **redis_options(asynchronous=True)))


@asynchronous
async def redis_async_wrong_retry():
    import redis.asyncio

    options = redis_options(asynchronous=True, cross=True)
    return await redis_async_in_flight(redis.asyncio.from_url(redis_url(), **options))


async def redis_async_idle_of(client):
    await client.set("prove", 1)
    await cut_async()
    await asyncio.sleep(0.1)
    return [await did_async(lambda: client.get("prove")), await did_async(lambda: client.get("prove"))]


@asynchronous
async def redis_async_idle():
    import redis.asyncio

    return await redis_async_idle_of(redis.asyncio.from_url(redis_url()))


@asynchronous
async def redis_async_idle_retry():
    import redis.asyncio

    return await redis_async_idle_of(redis.asyncio.from_url(redis_url(), **redis_options(asynchronous=True)))
