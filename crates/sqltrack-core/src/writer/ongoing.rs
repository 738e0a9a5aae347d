//! A future that goes on when whoever waits for it does not any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

use crate::client::BoxFuture;

/// A future that is polled where it is awaited, and becomes a task of its own when it is dropped before its end. A task
/// from the beginning would wake another thread for each call.
pub(super) struct Ongoing<T: Send + 'static> {
    future: Option<BoxFuture<'static, T>>,
    runtime: Handle,
}

impl<T: Send + 'static> Ongoing<T> {
    /// Must be called within a runtime, which is the one that it goes on in.
    pub(super) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self { future: Some(Box::pin(future)), runtime: Handle::current() }
    }
}

impl<T: Send + 'static> Future for Ongoing<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out: a future that has panicked must not be polled again.
        let Some(mut future) = self.future.take() else { return Poll::Pending };
        let polled = future.as_mut().poll(context);
        if polled.is_pending() {
            self.future = Some(future);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Ongoing<T> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            self.runtime.spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_is_dropped_goes_on() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let ongoing = Ongoing::new(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            sender.send(7)
        });
        assert!(tokio::time::timeout(Duration::from_millis(1), ongoing).await.is_err());
        assert_eq!(receiver.await, Ok(7));
        assert_eq!(Ongoing::new(async { 8 }).await, 8);
    }
}
