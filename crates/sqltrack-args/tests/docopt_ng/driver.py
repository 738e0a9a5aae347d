"""Runs docopt-ng on the cases that arrive as JSON, and answers with what it makes of them."""

import contextlib
import io
import json
import signal
import sys

import docopt

UNMATCHED = "Warning: found unmatched (duplicate?) arguments "


class Timeout(BaseException):
    pass


def on_alarm(*_):
    raise Timeout


def left_over(text):
    names = {
        "Argument": lambda name, value: ["argument", value],
        "Option": lambda short, long, argcount, value: ["option", short, long, value],
    }
    return eval(text, names)


def user_error(message):
    usage = docopt.DocoptExit.usage.strip()
    problem = message[: len(message) - len(usage)].strip()
    if problem.startswith(UNMATCHED):
        problem = ["unmatched", left_over(problem[len(UNMATCHED):])]
    elif problem.endswith(" requires argument"):
        problem = ["requires", problem.split()[0]]
    elif problem.endswith(" must not have an argument"):
        problem = ["refuses", problem.split()[0]]
    return {"user": problem, "usage": usage}


def run(case):
    printed = io.StringIO()
    signal.setitimer(signal.ITIMER_VIRTUAL, case["seconds"])
    try:
        with contextlib.redirect_stdout(printed):
            result = docopt.docopt(
                case["help"],
                case["argv"],
                default_help=case["default_help"],
                version=case["version"],
                options_first=case["options_first"],
            )
        return {"options": list(result.items())}
    except docopt.DocoptLanguageError:
        return {"language": True}
    except docopt.DocoptExit as err:
        return user_error(str(err))
    except SystemExit:
        return {"printed": printed.getvalue()}
    except Timeout:
        return {"crash": "Timeout"}
    except Exception as err:
        return {"crash": type(err).__name__}
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def convert(text):
    for function in (int, float, complex, json.loads):
        try:
            return repr(function(text))
        except ValueError:
            pass
    return repr(text)


signal.signal(signal.SIGVTALRM, on_alarm)
work = json.load(sys.stdin)
answer = {"cases": [run(case) for case in work["cases"]], "texts": [convert(text) for text in work["texts"]]}
json.dump(answer, sys.stdout)
