"""Runs the samples against the real driver and loses the connection at one call after another.

    python run.py samples.json

A sample is a JSON object with `name`, `requires` (lines of a requirements file), `main` (the file to start), `files` (path: text) and
`marks` ([path, line, code]). Every line that sends a command makes a claim: with a mark for one of the rules below that the error of a
lost connection leaves the program there, without one that it does not. Each claim is tried, and the table tells how many hold.

    RL101                 one lost connection is enough
    RL102                 the driver's own repetition absorbs one, and both lost are an error
    RL103, RL104, RL105   as for RL101 or RL102

What happens is taken from the program itself: module level, functions that nothing calls (with invented arguments), threads, futures.
"""
import ast
import asyncio
import collections
import concurrent.futures.thread
import contextlib
import contextvars
import functools
import importlib.metadata
import inspect
import io
import itertools
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings

import gridfs
import pymongo
import pymongo.common
import pymongo.monitoring
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import ConnectionFailure

from server import Server

CLAIMS = {"RL101", "RL102", "RL103", "RL104", "RL105"}
# Rules that take the place of those at the call, and stand elsewhere (at a handler) or say that the error is lost in silence.
ELSEWHERE = {"RL109", "RL204"}
# Sent when a `with` for a transaction ends; the rules speak of the statements in it.
ENDS_BLOCK = {"commitTransaction", "abortTransaction"}
# Seconds for all samples; on a slow machine the last ones are left out.
BUDGET = 45.0
# Commands of one run before it counts as endless, and after the loss before it counts as survived.
ENOUGH = 60
SECONDS = 10.0
# What stands for any argument of an entry point, and for any field of a document.
INVENTED = [1, "a", [1], {"a": 1}]

pymongo.common.MIN_HEARTBEAT_INTERVAL = 0.002
DRIVER = tuple(os.path.dirname(os.path.abspath(module.__file__)) + os.sep for module in (pymongo, gridfs))
real_sleep = time.sleep
time.sleep = lambda seconds: real_sleep(min(seconds, 0.002))
real_async_sleep = asyncio.sleep


async def short_sleep(seconds, result=None):
    return await real_async_sleep(min(seconds, 0.002), result)


asyncio.sleep = short_sleep


class Stop(BaseException):
    """The run has lasted long enough."""


class Skip(Exception):
    """This cannot be run; the text says why."""


here = threading.local()
# In an event loop: the lines from which the callback at hand was started, which are not on its stack.
started_from = contextvars.ContextVar("started_from", default=())
LOOP = os.path.join("asyncio", "base_events.py")


class World:
    """One run: which files belong to the sample, what is sent from where, and what is to be lost."""

    def __init__(self, folder, server):
        self.folder = folder + os.sep
        self.server = server
        self.clients = []
        self.calls = []  # of the driver, in order: (lines, commands)
        self.frames = {}  # the outermost frame in the driver: which of those calls it is
        # (site, its number among the calls there, the first of its commands to be lost, how many are)
        self.plan = None
        self.left = 0
        self.since = 0
        self.armed = True
        self.escaped = []
        self.submitted = []
        self.futures = {}  # failed, and nobody has asked yet
        self.lock = threading.Lock()
        self.ran = set()

    def profile(self, frame, event, _):
        """Notes which functions of the sample run."""
        if event == "call" and frame.f_code.co_filename.startswith(self.folder):
            self.ran.add((frame.f_code.co_filename[len(self.folder):], frame.f_code.co_name))

    def lines(self):
        """The sample's lines on the stack, innermost first, and the outermost frame of the driver above them."""
        found, driver, origin = [], None, getattr(here, "origins", None)
        frame = sys._getframe(1)
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith(self.folder):
                found.append((name[len(self.folder):], frame.f_lineno))
            elif not found and name.startswith(DRIVER):
                driver = frame
            elif not found and name.endswith(LOOP) and frame.f_code.co_name == "_run_once":
                found.extend(started_from.get())
                break
            frame = frame.f_back
        found.extend(getattr(here, "outer", ()))
        if origin:
            found.insert(0, origin[-1])
        return tuple(found), driver

    def started(self, event):
        lines, driver = self.lines()
        if not lines or event.command_name.lower() in ("endsessions", "killcursors"):
            return
        with self.lock:
            if driver not in self.frames:
                self.frames[driver] = len(self.calls)
                self.calls.append((lines, []))
            number = self.frames[driver]
            sent = self.calls[number][1]
            sent.append(event.command_name)
            if self.plan is not None and self.armed:
                site, wanted, first, _ = self.plan
                same = [index for index, (other, _) in enumerate(self.calls) if other[0] == site]
                if number in same and same.index(number) == wanted and len(sent) > first and self.left > 0:
                    self.left -= 1
                    self.server.doomed.add(event.request_id)
                    self.since = 0
            self.since += 1
            if self.since > ENOUGH:
                self.since = -10**9
                signal.pthread_kill(threading.main_thread().ident, signal.SIGALRM)

    def is_loss(self, error, depth=0):
        if not isinstance(error, BaseException) or depth > 20:
            return False
        if isinstance(error, ConnectionFailure):
            return True
        # `client.bulk_write` keeps it in an attribute.
        inner = [error.__cause__, error.__context__, getattr(error, "error", None), *getattr(error, "exceptions", ())]
        return any(self.is_loss(one, depth + 1) for one in inner)

    def escape(self, error):
        if self.is_loss(error):
            self.escaped.append(error)


class Listener(pymongo.monitoring.CommandListener):
    def __init__(self, world):
        self.world = world

    def started(self, event):
        self.world.started(event)

    def succeeded(self, event):
        pass

    def failed(self, event):
        pass


world = None


def connect(real_init, self, host=None, *args, **kwargs):
    """A client of the server here, whatever hosts it names; its options stay."""
    text = host if isinstance(host, str) else ""
    found = re.match(r"mongodb(?:\+srv)?://(?:[^@/]*@)?[^/?]*(/[^?]*)?(\?.*)?$", text)
    path, options = (found[1] or "/", found[2] or "") if found else ("/", "")
    options = re.sub(r"(?<=[?&])(tls|ssl|authSource|authMechanism|directConnection|replicaSet)=[^&]*&?", "", options).rstrip("?&")
    for name in ("port", "username", "password", "tls", "ssl", "replicaSet", "replicaset"):
        kwargs.pop(name, None)
    if args and isinstance(args[0], int):
        args = args[1:]
    kwargs["event_listeners"] = [*(kwargs.get("event_listeners") or []), Listener(world)]
    kwargs.setdefault("serverSelectionTimeoutMS", 20000)
    real_init(self, f"mongodb://127.0.0.1:{world.server.port}{path}{options}", *args, replicaSet="rs0", **kwargs)
    world.clients.append(self)


for name in ("MongoClient", "AsyncMongoClient"):
    if kind := getattr(pymongo, name, None):
        kind.__init__ = functools.partialmethod(lambda self, real, *args, **kwargs: connect(real, self, *args, **kwargs), kind.__init__)


class Named:
    """A method of the driver that remembers in which line of the sample it was named: an operation may be called elsewhere."""

    def __init__(self, function):
        self.function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance, owner):
        if instance is None:
            return self.function
        method = self.function.__get__(instance, owner)
        frame = sys._getframe(1)
        while frame is not None and world is not None and not frame.f_code.co_filename.startswith(world.folder):
            if frame.f_code.co_filename.startswith(DRIVER):
                return method
            frame = frame.f_back
        if frame is None or world is None:
            return method
        origin = (frame.f_code.co_filename[len(world.folder):], frame.f_lineno)

        def call(*args, **kwargs):
            here.__dict__.setdefault("origins", []).append(origin)
            try:
                return method(*args, **kwargs)
            finally:
                here.origins.pop()

        call.__name__ = self.function.__name__
        return call


for kind in (Collection, Database, pymongo.MongoClient):
    for name, value in list(vars(kind).items()):
        if inspect.isfunction(value) and not name.startswith("_") and name not in ("find", "start_session", "get_database", "get_collection"):
            setattr(kind, name, Named(value))

real_submit = concurrent.futures.ThreadPoolExecutor.submit


def submit(self, function, /, *args, **kwargs):
    """Keeps the lines that led here, for drivers that work in threads of their own (motor)."""
    outer, named = world.lines()[0] if world else (), list(getattr(here, "origins", ()))
    started_from.set(outer)

    def run():
        here.outer, here.origins = outer, named
        return function(*args, **kwargs)

    future = real_submit(self, run)
    if world is not None:
        world.submitted.append(future)
    return future


real_set, real_result, real_exception = (getattr(concurrent.futures.Future, n) for n in ("set_exception", "result", "exception"))


def set_exception(self, error):
    if world is not None:
        world.futures[id(self)] = (self, error)
    return real_set(self, error)


def asked(real):
    """Somebody receives what the future holds."""

    def ask(self, timeout=None):
        try:
            return real(self, timeout)
        finally:
            if world is not None:
                world.futures.pop(id(self), None)

    return ask


concurrent.futures.ThreadPoolExecutor.submit = submit
concurrent.futures.Future.set_exception = set_exception
concurrent.futures.Future.result = asked(real_result)
concurrent.futures.Future.exception = asked(real_exception)
threading.excepthook = lambda args: world is not None and world.escape(args.exc_value)


class Entry:
    """Where a run begins: a function that nothing calls (`name` in `module`, in `owner` if it is a method), or the module alone."""

    def __init__(self, path=None, name=None, owner=None):
        self.path, self.name, self.owner = path, name, owner


def entries(sample):
    """Module level, and the functions and methods whose names stand nowhere but at their definitions."""
    trees = {path: ast.parse(text) for path, text in sample["files"].items() if path.endswith(".py")}
    used = collections.Counter()
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                used[node.id] += 1
            elif isinstance(node, ast.Attribute):
                used[node.attr] += 1
            elif isinstance(node, ast.alias):
                used[node.name] += node.name != "*"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                used[node.value] += 1
    yield Entry()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for path, tree in trees.items():
        for node in tree.body:
            if isinstance(node, functions) and not used[node.name]:
                yield Entry(path, node.name)
            elif isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, functions) and not used[inner.name] and not inner.name.startswith("_"):
                        yield Entry(path, inner.name, node.name)


def fields(sample, value):
    """A document in which every name that the sample mentions is a field."""
    found = {}
    for text in sample["files"].values():
        for name in re.findall(r"""["']([A-Za-z_]\w*)["']""", text):
            found[name] = value
    found.pop("_id", None)
    return found


def given(function, value):
    """Arguments for all parameters that need one."""
    positional, named = [], {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is not parameter.empty or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        else:
            positional.append(value)
    return positional, named


def call(function, value):
    positional, named = given(function, value)
    result = function(*positional, **named)
    if inspect.iscoroutine(result):
        asyncio.run(result)
    elif inspect.isasyncgen(result):
        async def drain():
            async for _ in result:
                pass
        asyncio.run(drain())
    elif inspect.isgenerator(result):
        for _ in result:
            pass


def execute(sample, folder, server, entry, value, plan=None):
    """One run in a world of its own. An error of the program itself is raised; one of the driver is in `escaped`."""
    global world
    world = World(folder, server)
    world.plan = plan
    world.left = plan[3] if plan else 0
    world.armed = entry.name is None
    server.doomed.clear()
    server.document = fields(sample, value)
    before = set(threading.enumerate())
    modules = set(sys.modules)
    saved = {kind: dict(vars(kind)) for kind in (Collection, Database, pymongo.MongoClient)}
    sys.path.insert(0, folder)
    main = os.path.join(folder, sample["main"])
    namespace = type(sys)("__main__")
    namespace.__file__ = main
    real_main, sys.modules["__main__"] = sys.modules["__main__"], namespace
    failed = None
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    if entry.name is None and plan is None:
        sys.setprofile(world.profile)
        threading.setprofile(world.profile)
    try:
        exec(compile(sample["files"][sample["main"]], main, "exec"), vars(namespace))
        if entry.name:
            world.armed = True
            module = namespace
            if entry.path != sample["main"]:
                module = __import__(entry.path[:-3].replace("/", ".").removesuffix(".__init__"), fromlist=["*"])
            target = vars(module)[entry.owner or entry.name]
            if entry.owner:
                positional, named = given(target, value)
                target = getattr(target(*positional, **named), entry.name)
            call(target, value)
    except Stop:
        pass
    except SystemExit:
        pass
    except BaseException as error:
        failed = error
        world.escape(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.setprofile(None)
        threading.setprofile(None)
        # What was started goes on when the module ends, also by an error.
        for thread in set(threading.enumerate()) - before:
            # The idle threads of a pool wait for ever.
            if not thread.name.startswith(("pymongo", "server")) and thread not in concurrent.futures.thread._threads_queues:
                thread.join(3.0)
        concurrent.futures.wait(world.submitted, 3.0)
        sys.path.remove(folder)
        sys.modules["__main__"] = real_main
        for name in set(sys.modules) - modules:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(folder):
                del sys.modules[name]
        # What the sample put in place of the driver's methods.
        for kind, known in saved.items():
            for name in set(vars(kind)) - set(known):
                delattr(kind, name)
            for name, value in known.items():
                if vars(kind).get(name) is not value:
                    setattr(kind, name, value)
    for _, error in list(world.futures.values()):
        world.escape(error)
    done, world = world, None
    for client in done.clients:
        closing = client.close()
        if closing is not None:
            with contextlib.suppress(Exception):
                asyncio.run(closing)
    if failed is not None and not done.escaped:
        raise failed
    return done


def alarm(number, frame):
    # Within this file there is nothing to stop; the next one comes.
    raise Stop


def clean(sample, folder, server, entry):
    """A run in which nothing is lost, with the first invented value that the program takes."""
    problem = None
    for value in INVENTED:
        try:
            done = execute(sample, folder, server, entry, value)
        except Exception as error:
            problem = problem or error
            continue
        if not done.escaped:
            return done, value
        problem = problem or done.escaped[0]
    if isinstance(problem, ModuleNotFoundError):
        raise Skip(f"needs {problem.name}")
    if isinstance(problem, (ImportError, AttributeError)) and "pymongo" in str(problem):
        raise Skip("needs another version of the driver")
    raise Skip(f"raises {type(problem).__name__} by itself: {str(problem)[:70]}")


def fits(sample):
    """Whether the versions that the sample asks for are those that are installed."""
    for line in sample["requires"]:
        found = re.match(r"([\w.-]+)\s*(?:\[.*\])?\s*==\s*([\w.]+)", line)
        if found is None:
            continue
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            if importlib.metadata.version(found[1]) != found[2]:
                raise Skip(f"is for another version of {found[1]}")
    text = "\n".join(sample["files"].values())
    if "multiprocessing" in text or "os.fork" in text:
        raise Skip("starts processes")


def steps(error):
    """The code and the line of each step that the error took, and those that led to it."""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            yield trace.tb_frame.f_code, trace.tb_lineno
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


def function_has(sample, error, codes):
    """Whether the error came through a function with a mark for one of these rules."""
    marked = {(path, line) for path, line, code in sample["marks"] if code in codes}
    for code, _ in steps(error):
        last = max(line or 0 for _, _, line in code.co_lines())
        for path, line in marked:
            if code.co_filename.endswith(os.sep + path) and code.co_firstlineno <= line <= last + 3:
                return True
    return False


def awaited_at(folder, marks, error):
    """The marked line at which the error came out of something that had been sent before (motor sends when it is called)."""
    for code, line in steps(error):
        place = (code.co_filename[len(folder) + 1:], line)
        if code.co_filename.startswith(folder + os.sep) and marks[place] & CLAIMS:
            return place
    return None


class Claim:
    """That the error leaves the program (`codes`) or does not, and what was seen: for one loss, and for all of one call."""

    def __init__(self, codes):
        self.codes = codes
        self.one = False
        self.all = False
        self.excused = False
        self.told = ""

    def holds(self):
        if not self.codes:
            return not self.all or self.excused
        if self.codes == {"RL101"}:
            return self.one
        if self.codes == {"RL102"}:
            return self.all and not self.one
        return self.all or self.one


def judge(sample, folder, server):
    """The claims of a sample, each tried, and why parts of it could not be run."""
    fits(sample)
    marks = collections.defaultdict(set)
    for path, line, code in sample["marks"]:
        marks[path, line].add(code)
    claims, skipped, ran = {}, [], set()
    for entry in entries(sample):
        if (entry.path, entry.name) in ran:
            continue
        try:
            base, value = clean(sample, folder, server, entry)
            ran |= base.ran
        except Skip as why:
            if entry.name is None:
                raise
            skipped.append(f"`{entry.name}` {why}")
            continue
        # Module level ran in every run; only what the entry itself does is tried.
        seen, numbers = set(), collections.Counter()
        for lines, commands in base.calls:
            number = numbers[lines[0]]
            numbers[lines[0]] += 1
            command = ", ".join(commands)
            if (lines, command) in seen or len([s for s in seen if s[0][0] == lines[0]]) >= 6:
                continue
            seen.add((lines, command))
            place = next((line for line in lines if marks[line] & CLAIMS), lines[0])
            if command in ENDS_BLOCK and not marks[place] & CLAIMS:
                skipped.append(f"`{command}` at the end of a block is no call of its own")
                continue
            claim = claims.setdefault(place, Claim(marks[place] & CLAIMS))
            for first, lost in itertools.product(range(min(len(commands), 4)), (1, 2)):
                if lost == 1 and not claim.codes & {"RL101", "RL102"} or claim.one and claim.all:
                    continue
                try:
                    done = execute(sample, folder, server, entry, value, (lines[0], number, first, lost))
                except Exception:
                    # The error was received; what the program does without the answer is another matter.
                    continue
                if done.escaped and not claim.codes and (other := awaited_at(folder, marks, done.escaped[0])):
                    claim = claims.setdefault(other, Claim(marks[other] & CLAIMS))
                    with contextlib.suppress(Exception):
                        claim.one |= bool(execute(sample, folder, server, entry, value, (lines[0], number, first, 1)).escaped)
                if done.escaped:
                    claim.one |= lost == 1
                    claim.all = True
                    claim.told = f"{type(done.escaped[0]).__name__} left {entry.name or 'the module'} after {command}"
                    claim.excused |= function_has(sample, done.escaped[0], ELSEWHERE)
    return claims, [place for place, codes in marks.items() if codes & CLAIMS and place not in claims], skipped


def main():
    samples = json.load(open(sys.argv[1], encoding="utf-8"))
    only = os.environ.get("SAMPLE", "")
    signal.signal(signal.SIGALRM, alarm)
    warnings.simplefilter("ignore")
    server = Server()
    deadline = time.monotonic() + BUDGET
    table = collections.Counter()
    reasons, wrong = collections.Counter(), []
    for sample in samples:
        if only not in sample["name"]:
            continue
        folder = os.path.realpath(tempfile.mkdtemp(prefix="oracle-"))
        for path, text in sample["files"].items():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)
            for name in re.findall(r"[A-Z][A-Z0-9_]*_URL\b", text):
                os.environ[name] = "mongodb://db/?replicaSet=rs0"
        began = time.monotonic()
        if began > deadline:
            table["samples skipped"] += 1
            reasons["the sample had no time left"] += 1
            continue
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                claims, unreached, skipped = judge(sample, folder, server)
            table["samples run"] += 1
            for place, claim in claims.items():
                kind = "fires" if claim.codes else "quiet"
                good = claim.holds()
                table[f"{kind}, agrees" if good else f"{kind}, disagrees"] += 1
                if not good:
                    said = "/".join(sorted(claim.codes)) or "quiet"
                    seen = claim.told or "nothing left the program"
                    if claim.codes and claim.told:
                        seen += ", already for one loss" if claim.one else ", but not for one loss"
                    wrong.append(f"{sample['name']}: {place[0]}:{place[1]} is {said}, but {seen}")
            table["marks not reached"] += len(unreached)
            for place in unreached:
                reasons["the mark's call was not reached"] += 1
                if os.environ.get("VERBOSE"):
                    print("not reached:", sample["name"], place, skipped)
            for why in skipped:
                reasons[why.replace("`", "") if "block" in why else "an entry point " + re.sub(r"`\w+` ", "", why)] += 1
        except Skip as why:
            table["samples skipped"] += 1
            reasons[f"the sample {why}"] += 1
        except SyntaxError:
            table["samples skipped"] += 1
            reasons["the sample is in Python 2"] += 1
        if os.environ.get("VERBOSE"):
            print(f"{time.monotonic() - began:.2f} s {sample['name']}")
        shutil.rmtree(folder, ignore_errors=True)
    agrees = table["fires, agrees"] + table["quiet, agrees"]
    print(f"samples: {table['samples run']} run, {table['samples skipped']} skipped, with pymongo {pymongo.version}")
    print("claim          run  agree  disagree")
    for kind in ("fires", "quiet"):
        yes, no = table[f"{kind}, agrees"], table[f"{kind}, disagrees"]
        print(f"{kind:12} {yes + no:5} {yes:6} {no:9}")
    print(f"not tried: {table['marks not reached']} marks")
    for why, count in reasons.most_common():
        print(f"{count:5}  {why}")
    if wrong:
        print("disagree:")
        print("\n".join(wrong))
    sys.stdout.flush()
    os._exit(1 if wrong else 0 if agrees else 2)


if __name__ == "__main__":
    main()
