//! Files that other programs read: pyarrow, DuckDB and pandas find in them what was tracked.

use crate::engines::on_both_engines;
use crate::program::Program;

on_both_engines!(exported_files_read_back_equal);

fn exported_files_read_back_equal(program: Program) {
    let script = "
        INSERT INTO experiments (id, name) VALUES (1, 'files');
        INSERT INTO runs (id, experiment_id) VALUES (1, 1);
        ALTER TABLE metrics ADD COLUMN big BIGINT;
        ALTER TABLE metrics ADD COLUMN loss DOUBLE PRECISION;
        ALTER TABLE metrics ADD COLUMN note TEXT;
        ALTER TABLE metrics ADD COLUMN ok BOOLEAN;
        ALTER TABLE metrics ADD COLUMN at TIMESTAMP WITH TIME ZONE;
        INSERT INTO metrics (run_id, step, progress, big, note, ok, at) VALUES
            (1, 0, 0.5, 9007199254740993, 'é \"q\",\nx', TRUE, '2024-05-07 12:30:00.123456+00:00'),
            (1, 2, 0.5, -9223372036854775808, '', FALSE, '1969-12-31 23:59:59.999999+00:00'),
            (1, 3, 0.5, 9223372036854775807, '损失', NULL, NULL),
            (1, 4, 0.5, NULL, 'NULL', NULL, NULL);";
    program.feed(&["execute"], script).succeeded();
    for (step, loss) in [("0", "0.1"), ("1", "NaN"), ("2", "Infinity"), ("3", "-Infinity")] {
        let loss = format!("loss={loss}");
        program.run(&["log", "--run", "1", "--step", step, "--progress", "0.5", &loss]).succeeded();
    }
    for file in ["metrics.parquet", "metrics.arrow", "metrics.csv"] {
        program.run(&["export", "-o", file]).succeeded();
    }
    let said = sqltrack_tests::python("read_back.py", [program.folder()]);
    assert_eq!(said.lines().count(), 6, "{said}");
}
