"""Reads exported metrics with pyarrow, DuckDB and pandas, and compares them with what was tracked.

The folder that is the argument holds the same table as `metrics.parquet`, `metrics.arrow` and `metrics.csv`.
"""

import datetime
import math
import pathlib
import sys

import duckdb
import pandas
import pyarrow
import pyarrow.feather
import pyarrow.parquet

UTC = datetime.timezone.utc
EXPECTED = [
    {
        "run_id": 1, "step": 0, "progress": 0.5, "big": 9007199254740993, "loss": 0.1, "note": 'é "q",\nx', "ok": True,
        "at": datetime.datetime(2024, 5, 7, 12, 30, 0, 123456, UTC),
    },
    {"run_id": 1, "step": 1, "progress": 0.5, "big": None, "loss": math.nan, "note": None, "ok": None, "at": None},
    {
        "run_id": 1, "step": 2, "progress": 0.5, "big": -(2**63), "loss": math.inf, "note": "", "ok": False,
        "at": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    },
    {"run_id": 1, "step": 3, "progress": 0.5, "big": 2**63 - 1, "loss": -math.inf, "note": "损失", "ok": None, "at": None},
    {"run_id": 1, "step": 4, "progress": 0.5, "big": None, "loss": None, "note": "NULL", "ok": None, "at": None},
]


def is_same(one, other):
    """Whether values are the same, of the same type; NaN is NaN and never None."""
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return True
    return one == other and type(one) is type(other)


def check(reader, rows):
    rows = sorted(rows, key=lambda row: row["step"])
    assert len(rows) == len(EXPECTED), (reader, rows)
    for row, expected in zip(rows, EXPECTED, strict=True):
        for name, value in expected.items():
            assert is_same(row[name], value), (reader, name, row[name], value)
    print(f"{reader}: {len(rows)} rows are as they were tracked")


def of_arrow(table):
    assert table.schema.field("at").type == pyarrow.timestamp("us", tz="UTC"), table.schema
    return table.to_pylist()


def of_duckdb(relation):
    names = relation.columns
    rows = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
    for row in rows:
        row["at"] = row["at"] and row["at"].astimezone(UTC)
    return rows


def of_pandas(frame):
    """The rows of a frame whose columns have types with a missing value of their own."""
    rows = []
    for row in frame.to_dict("records"):
        plain = {name: None if value is pandas.NA or value is pandas.NaT else value for name, value in row.items()}
        plain["at"] = plain["at"] and plain["at"].to_pydatetime()
        rows.append(plain)
    return rows


def main(folder):
    parquet, arrow, csv = (str(folder / f"metrics.{ending}") for ending in ("parquet", "arrow", "csv"))
    check("pyarrow, parquet", of_arrow(pyarrow.parquet.read_table(parquet)))
    check("pyarrow, arrow", of_arrow(pyarrow.feather.read_table(arrow)))
    duckdb.sql("SET TimeZone = 'UTC'")
    check("duckdb, parquet", of_duckdb(duckdb.read_parquet(parquet)))
    check("duckdb, csv", of_duckdb(duckdb.sql(f"FROM read_csv('{csv}', nullstr = '', allow_quoted_nulls = false)")))
    kept = pyarrow.parquet.read_table(parquet).to_pandas(types_mapper=pandas.ArrowDtype)
    check("pandas, parquet", of_pandas(kept))
    # Everything as text first: pandas takes `NaN`, `NULL` and an empty text for the same.
    texts = pandas.read_csv(csv, dtype=str, keep_default_na=False)
    for name, read in (("loss", float), ("big", int)):
        values = [read(text) if text else None for text in texts[name]]
        expected = [row[name] for row in EXPECTED]
        assert all(map(is_same, values, expected)), (name, values, expected)
    assert list(texts["note"]) == [row["note"] or "" for row in EXPECTED]
    print("pandas, csv: the numbers and texts are as they were tracked")


main(pathlib.Path(sys.argv[1]))
