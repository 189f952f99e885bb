"""What expressions come to, as Google's own implementation of CEL has it (cel-cpp, by its Python package `cel-expr-python`).

    python expressions.py tests/data/expressions/expressions.txt > tests/data/expressions/expected.tsv

A line for each expression: `refused` where it does not compile, `error` where it has no value, else `=` and the value in
JSON (a map as `{"map": [[key, value] ...]}`, sorted); a tab; the expression. Without a file, JSON texts of expressions are
read from standard input, one a line, and the results alone are printed.
"""

import json
import sys

from cel_expr_python import cel

# The names that expressions may use, as in `src/check/expression/oracle.rs`.
VALUES = {"p": 7, "q": -3, "s": "abc", "b": True, "w": [1, 2, 3], "t": {"one": 1, "two": 2}}
TYPES = {
    "p": cel.Type.INT,
    "q": cel.Type.INT,
    "s": cel.Type.STRING,
    "b": cel.Type.BOOL,
    "w": cel.Type.List(cel.Type.INT),
    "t": cel.Type.Map(cel.Type.STRING, cel.Type.INT),
}
ENVIRONMENT = cel.NewEnv(variables=TYPES)


def plain(value):
    if isinstance(value, dict):
        pairs = [[key, plain(item)] for key, item in value.items()]
        return {"map": sorted(pairs, key=lambda pair: json.dumps(pair[0]))}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return {"other": str(value)}


def result(expression):
    try:
        compiled = ENVIRONMENT.compile(expression)
    except RuntimeError:
        return "refused"
    try:
        value = compiled.eval(data=VALUES)
    except RuntimeError:
        return "error"
    if value.type() == cel.Type.ERROR:
        return "error"
    return "=" + json.dumps(plain(value.plain_value()), ensure_ascii=True)


def main():
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            for line in file.read().split("\n"):
                if line and not line.startswith("#"):
                    print(result(line.removeprefix("~")), line, sep="\t")
    else:
        for line in sys.stdin:
            print(result(json.loads(line)))


main()
