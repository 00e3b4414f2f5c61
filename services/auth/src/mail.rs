//! Mail: written after the commit, sent off the request, through a bounded queue with a deadline.
//!
//! A request takes its place in the queue *before* it commits ([`Mailer::reserve`]), so a full queue is a clear 503 and
//! never a token nobody was told about. What fails afterwards is logged and counted; the user asks again.

pub mod folder;
pub mod smtp;
pub mod template;

use crate::config::Mail;
use crate::error::AuthError;
use crate::metrics::Metrics;
use lettre::Message;
use lettre::message::{Mailbox, MultiPart};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use template::Letter;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinHandle;

/// Letters waiting to be sent.
const QUEUE_MAX: usize = 1_024;
/// Letters being sent at once.
const SENDING_MAX: usize = 8;
/// How long one may take.
const SEND_DEADLINE: Duration = Duration::from_secs(30);

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address can't be written into a letter.
    #[error("address is not one a letter can bear")]
    Address(#[from] lettre::address::AddressError),
    /// The letter can't be composed.
    #[error("letter can't be composed")]
    Compose(#[from] lettre::error::Error),
    /// The relay refused it or could not be reached.
    #[error("relay did not take the letter")]
    Smtp(#[from] lettre::transport::smtp::Error),
    /// The folder can't be written.
    #[error("folder can't be written")]
    Folder(#[source] std::io::Error),
    /// It took too long.
    #[error("not sent within {} seconds", SEND_DEADLINE.as_secs())]
    Deadline,
}

/// A way for letters to leave.
pub trait Transport: Send + Sync + 'static {
    /// Sends one letter.
    fn send(
        &self,
        message: Message,
    ) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>>;
}

/// The queue of letters and the task that empties it.
pub struct Mailer {
    queue: std::sync::Mutex<Option<mpsc::Sender<Letter>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// A place in the queue.
pub struct Place(mpsc::OwnedPermit<Letter>);

impl Place {
    /// Puts a letter in it.
    pub fn fill(self, letter: Letter) {
        self.0.send(letter);
    }
}

impl Mailer {
    /// Opens the way configuration names and starts the task. Must be called inside a runtime.
    ///
    /// # Errors
    /// When the relay's URL or the sender's address can't be read.
    pub fn start(mail: &Mail, metrics: Metrics) -> Result<Mailer, MailError> {
        let (transport, from): (Arc<dyn Transport>, &str) = match mail {
            Mail::Folder { path } => {
                tracing::info!(mail.folder = %path.display(), "mail is written to a folder, not sent");
                (
                    Arc::new(folder::Folder::new(path)),
                    "Pando <pando@localhost.localdomain>",
                )
            }
            Mail::Smtp { url, from } => (Arc::new(smtp::Smtp::open(url)?), from.as_str()),
        };
        let from: Mailbox = from.parse()?;
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let task = tokio::spawn(deliver(transport, from, receiver, metrics));
        Ok(Mailer {
            queue: std::sync::Mutex::new(Some(sender)),
            task: Mutex::new(Some(task)),
        })
    }

    /// Takes a place in the queue.
    ///
    /// # Errors
    /// 503 when it is full or closing.
    pub fn reserve(&self) -> Result<Place, AuthError> {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone();
        let queue = queue.ok_or_else(AuthError::overloaded)?;
        queue
            .try_reserve_owned()
            .map(Place)
            .map_err(|_| AuthError::overloaded())
    }

    /// Takes no more letters and waits until those in the queue are gone.
    pub async fn close(&self) {
        self.queue
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .take();
        if let Some(task) = self.task.lock().await.take() {
            // The task ends by itself; a panic in it was reported where it happened.
            let _ended = task.await;
        }
    }
}

async fn deliver(
    transport: Arc<dyn Transport>,
    from: Mailbox,
    mut queue: mpsc::Receiver<Letter>,
    metrics: Metrics,
) {
    let sending = Arc::new(Semaphore::new(SENDING_MAX));
    while let Some(letter) = queue.recv().await {
        let Ok(turn) = Arc::clone(&sending).acquire_owned().await else {
            return;
        };
        let (transport, from, metrics) = (Arc::clone(&transport), from.clone(), metrics.clone());
        tokio::spawn(async move {
            let _turn = turn;
            let kind = letter.subject;
            let user = letter.user_id;
            let sent = async {
                let message = compose(letter, from)?;
                tokio::time::timeout(SEND_DEADLINE, transport.send(message))
                    .await
                    .map_err(|_| MailError::Deadline)?
            }
            .await;
            metrics.count_mail(sent.is_ok());
            if let Err(error) = sent {
                let cause = std::error::Error::source(&error)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tracing::error!(user.id = %user, mail.subject = kind, %error, cause, "a mail was not sent");
            }
        });
    }
    // All turns together are free when the last letter is gone.
    let _all = sending.acquire_many(SENDING_MAX as u32).await;
}

fn compose(letter: Letter, from: Mailbox) -> Result<Message, MailError> {
    let message = Message::builder()
        .from(from)
        .to(Mailbox::new(None, letter.to.parse()?))
        .subject(letter.subject)
        .message_id(None)
        .multipart(MultiPart::alternative_plain_html(letter.plain, letter.html))?;
    Ok(message)
}
