//! Cases on what writers have delivered, and on runs that were begun without a database.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::{connect, run};
use crate::{Access, Engine, EngineError, OfflineRunId, RunId, WriterId};

const WRITER: WriterId = WriterId(0x0123_4567_89ab_cdef);

/// Nothing at first, and then the last number that was noted; each writer has its own.
pub async fn what_a_writer_has_delivered_is_known(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    assert_eq!(conn.delivered(WRITER).await.unwrap(), 0);
    assert_eq!(conn.delivered(WRITER).await.unwrap(), 0);
    conn.note_delivered(WRITER, 7).await.unwrap();
    conn.note_delivered(WriterId(u128::MAX), i64::MAX).await.unwrap();
    assert_eq!(conn.delivered(WRITER).await.unwrap(), 7);
    conn.note_delivered(WRITER, 8).await.unwrap();
    assert_eq!(conn.delivered(WRITER).await.unwrap(), 8);
    assert_eq!(conn.delivered(WriterId(u128::MAX)).await.unwrap(), i64::MAX);
}

/// Whoever delivers what has arrived already is told so, and takes back what it wrote.
pub async fn nothing_is_delivered_twice(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    conn.note_delivered(WRITER, 7).await.unwrap();
    for last in [7, 6, 0] {
        let err = conn.note_delivered(WRITER, last).await.unwrap_err();
        let told =
            matches!(err, EngineError::AlreadyDelivered { writer: WRITER, last_seq } if last_seq == last);
        assert!(told, "{err:?}");
    }
    assert_eq!(conn.delivered(WRITER).await.unwrap(), 7);
}

/// The number is part of the transaction.
pub async fn what_is_rolled_back_is_not_delivered(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    conn.note_delivered(WRITER, 7).await.unwrap();
    conn.begin(Access::Write).await.unwrap();
    assert_eq!(conn.delivered(WRITER).await.unwrap(), 7);
    conn.note_delivered(WRITER, 9).await.unwrap();
    assert_eq!(conn.delivered(WRITER).await.unwrap(), 9);
    conn.rollback().await.unwrap();
    assert_eq!(conn.delivered(WRITER).await.unwrap(), 7);
}

/// Who asks while another transaction delivers gets its answer once that has ended, whatever its end: also the first
/// time, when there is no row yet.
pub async fn a_second_delivery_waits_for_the_first(engine: &dyn Engine) {
    for (before, last) in [(0, 3), (3, 5)] {
        let mut first = connect(engine).await;
        first.begin(Access::Write).await.unwrap();
        assert_eq!(first.delivered(WRITER).await.unwrap(), before);
        first.note_delivered(WRITER, last).await.unwrap();
        let second = async {
            let mut second = connect(engine).await;
            second.begin(Access::Write).await.unwrap();
            let delivered = second.delivered(WRITER).await.unwrap();
            second.commit().await.unwrap();
            delivered
        };
        let first = async {
            // Time for the other one to come and wait.
            for _ in 0..20 {
                assert_eq!(first.delivered(WRITER).await.unwrap(), last);
            }
            first.commit().await.unwrap();
        };
        assert_eq!(both(first, second).await, ((), last));
    }
}

/// What two futures come to that run at the same time.
async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut a, mut b) = (None, None);
    poll_fn(|cx| {
        if a.is_none()
            && let Poll::Ready(result) = one.as_mut().poll(cx)
        {
            a = Some(result);
        }
        if b.is_none()
            && let Poll::Ready(result) = other.as_mut().poll(cx)
        {
            b = Some(result);
        }
        match (a.take(), b.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (one, other) => {
                (a, b) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

/// It begins anew, and forgetting it again is no error.
pub async fn a_finished_writer_is_forgotten(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    conn.note_delivered(WRITER, 7).await.unwrap();
    conn.finish_writer(WRITER).await.unwrap();
    conn.finish_writer(WRITER).await.unwrap();
    assert_eq!(conn.delivered(WRITER).await.unwrap(), 0);
}

/// It leads to the run while that exists, and to no second one.
pub async fn an_offline_run_is_known_by_its_id(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let id = OfflineRunId(42);
    let err = conn.note_offline_run(id, RunId(404)).await.unwrap_err();
    assert!(matches!(err, EngineError::NoSuchRun(RunId(404))), "{err:?}");
    assert_eq!(conn.offline_run(id).await.unwrap(), None);
    let run = run(&mut *conn).await;
    conn.note_offline_run(id, run).await.unwrap();
    assert_eq!(conn.offline_run(id).await.unwrap(), Some(run));
    assert_eq!(conn.offline_run(OfflineRunId(43)).await.unwrap(), None);
    conn.note_offline_run(id, run).await.unwrap_err();
    conn.delete_run(run).await.unwrap();
    assert_eq!(conn.offline_run(id).await.unwrap(), None);
}
