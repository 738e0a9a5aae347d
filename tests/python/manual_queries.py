"""Runs the queries of the manual's notebook (section 3.4.1) on two schemas of a database, and compares their rows.

Called with a connection string and a plan, which is what the schema `public` was given by another program. The Python package
writes the same into the schema `package` first.
"""

import datetime
import json
import math
import pathlib
import sys

import psycopg.conninfo
import sqltrack
from sqltrack.commands.setup import setup
from sqltrack.pandas import query_dataframe

EXPERIMENTS = "SELECT * FROM experiments"

RUNS = """
    SELECT DISTINCT ON (id)
        tags ? 'marked' as " ",
        id,
        status as s,
        time_updated as updated,
        time_updated - time_started as runtime,
        step,
        progress,
        val_top1,
        val_loss,
        args->'lr' as lr,
        env->'SOURCE' as source,
        env->'GIT_COMMIT' as commit,
        env->'SLURM_JOB_PARTITION' as partition,
        tags
    FROM runs LEFT JOIN metrics ON id = run_id
    ORDER BY id, val_top1 DESC
"""

METRICS = """
    SELECT
        COALESCE((
            SELECT to_id FROM run_links WHERE run_id = from_id AND kind = 'resumes'),
        run_id
    ) as merged_id,
    *
    FROM metrics
    WHERE run_id = ANY(%(run_ids)s) OR run_id IN (
        SELECT from_id
        FROM run_links
        WHERE to_id = ANY(%(run_ids)s)
    );
"""

COMPARISON = """
    SELECT
        runs.id as id,
        runs.status as status,
        runs.time_started as started,
        runs.time_updated as updated,
        runs.time_updated - time_started as runtime,
        runs.env->'SLURM_JOBID' as jobid,
        exp.id as experiments_id,
        exp.name as experiments_name,
        runs.comment as comment,
        runs.tags as tags,
        runs.tags ? 'marked' as marked,
        metrics.step,
        metrics.progress,
        metrics.epoch_time,
        best_metrics.step as best_step,
        best_metrics.val_top1,
        best_metrics.val_loss,
        runs.args as args,
        runs.env as env
    FROM runs
    JOIN experiments AS exp ON experiment_id = exp.id
    LEFT JOIN (
        SELECT DISTINCT ON (run_id) *
        FROM metrics
        ORDER BY run_id, val_top1 DESC
    ) AS best_metrics ON runs.id = best_metrics.run_id
    LEFT JOIN (
        SELECT
            run_id,
            MAX(step) AS step,
            MAX(progress) AS progress,
            AVG(train_end - train_start) AS epoch_time
        FROM metrics
        GROUP BY run_id
    ) AS metrics ON runs.id = metrics.run_id
    WHERE runs.id = ANY(%(run_ids)s)
    ORDER BY runs.id ASC
"""


def write(client, plan):
    """Writes what the plan says by the functions of the package, as far as it has one."""
    setup(client, [("columns.sql", plan["columns"])])
    for made in plan["experiments"]:
        experiment = sqltrack.Experiment(client, experiment_id=made["id"], name=made["name"], comment=made["comment"])
        experiment.add_tags(*made["tags"])
        with client.cursor() as cursor:
            cursor.execute("UPDATE experiments SET time_created = %s WHERE id = %s", (made["created"], made["id"]))
    for made in plan["runs"]:
        # One connection for all of a run.
        with client.connect():
            run = sqltrack.Run(
                client, made["experiment"], made["id"], made["status"], made["comment"], made["tags"], made["args"], made["env"]
            )
            for metrics in made["metrics"]:
                run.add_metrics(**{name: of_plan(name, value) for name, value in metrics.items()})
            run.set_started(datetime.datetime.fromisoformat(made["started"]))
            run.set_updated(datetime.datetime.fromisoformat(made["updated"]))
    for made in plan["links"]:
        sqltrack.run_add_link(client, made["from"], made["kind"], made["to"])


def of_plan(name, value):
    """A value of a metric: floats stand there as texts, since JSON has no NaN."""
    if value is None or name == "step":
        return value
    return datetime.datetime.fromisoformat(value) if name in ("train_start", "train_end") else float(value)


def is_same(one, other):
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return one == other and type(one) is type(other)


def rows_of(client, query, parameters):
    """The rows as dictionaries, in an order of their own where the query has none."""
    with client.cursor() as cursor:
        frame = query_dataframe(cursor, query, parameters)
        cursor.execute(query, parameters)
        rows = cursor.fetchall()
    assert len(frame) == len(rows), (len(frame), len(rows))
    names = list(frame.columns)
    key = [name for name in ("id", "run_id", "step", "progress") if name in names]
    rows = [dict(zip(names, row, strict=True)) for row in rows]
    if "ORDER BY" not in query:
        rows.sort(key=lambda row: [row[name] for name in key])
    return names, rows


def check(what, ours, theirs, query, parameters=()):
    """Each row of the other program has all that the package's has. It may have more columns behind them."""
    names, found = rows_of(ours, query, parameters)
    expected_names, expected = rows_of(theirs, query, parameters)
    assert names[: len(expected_names)] == expected_names, (what, names, expected_names)
    assert expected and len(found) == len(expected), (what, len(found), len(expected))
    for one, other in zip(found, expected, strict=True):
        for name in expected_names:
            assert is_same(one[name], other[name]), (what, name, one, other)
    print(f"{what}: {len(expected)} rows are the same")


def main(connection, plan):
    parameters = psycopg.conninfo.conninfo_to_dict(connection)
    ours = sqltrack.Client(**parameters, schema="public")
    theirs = sqltrack.Client(**parameters, schema="package")
    plan = json.loads(pathlib.Path(plan).read_text(encoding="utf-8"))
    write(theirs, plan)
    check("experiments", ours, theirs, EXPERIMENTS)
    check("runs", ours, theirs, RUNS)
    for ids in plan["asked"]:
        check("metrics", ours, theirs, METRICS, {"run_ids": ids})
        check("comparison", ours, theirs, COMPARISON, {"run_ids": ids})


main(*sys.argv[1:])
