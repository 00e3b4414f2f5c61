//! Rate limits as arithmetic: the generic cell rate algorithm (ITU-T I.371), one number a key.
//!
//! A key's number is the moment at which it is idle again. An event moves it on by `period / events`; one that would
//! move it further than a whole period ahead is refused. So `events` may come at once, and then one each
//! `period / events`, exactly, whatever the order in which requests reach the database.

use std::net::IpAddr;
use std::str::FromStr;

/// So many events in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Events at once; 0 means no limit.
    pub events: u32,
    /// Seconds over which as many come back.
    pub period_seconds: u32,
}

/// A text that says no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a limit is a number of events and of seconds, as 20/300")]
pub struct LimitError;

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Limit, LimitError> {
        let (events, seconds) = text.split_once('/').ok_or(LimitError)?;
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| LimitError);
        match (number(events)?, number(seconds)?) {
            (_, 0) => Err(LimitError),
            (events, period_seconds) => Ok(Limit {
                events,
                period_seconds,
            }),
        }
    }
}

impl Limit {
    /// As many events as come.
    pub const NONE: Limit = Limit {
        events: 0,
        period_seconds: 1,
    };

    /// What one event costs, microseconds.
    pub fn cost(self) -> i64 {
        if self.events == 0 {
            0
        } else {
            i64::from(self.period_seconds) * 1_000_000 / i64::from(self.events)
        }
    }

    /// The key's next number after one event at `now`, or the seconds (at least 1) to wait for. All in microseconds
    /// since the epoch.
    pub fn charge(self, idle_at: i64, now: i64) -> Result<i64, u64> {
        if self.events == 0 {
            return Ok(idle_at);
        }
        let next = idle_at.max(now) + self.cost();
        let over = next - now - i64::from(self.period_seconds) * 1_000_000;
        if over > 0 {
            Err((over as u64).div_ceil(1_000_000))
        } else {
            Ok(next)
        }
    }
}

/// The part of a network address that one subscriber holds: all of an IPv4 address, the first 64 bits of an IPv6 one.
pub fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_each_share_of_the_period() {
        let limit = Limit {
            events: 3,
            period_seconds: 60,
        };
        let second = 1_000_000;
        let mut idle_at = 0;
        for _ in 0..3 {
            idle_at = limit.charge(idle_at, 1_000 * second).unwrap();
        }
        assert_eq!(limit.charge(idle_at, 1_000 * second), Err(20));
        assert_eq!(limit.charge(idle_at, 1_019 * second), Err(1));
        assert!(limit.charge(idle_at, 1_020 * second).is_ok());
        assert!(limit.charge(idle_at, 2_000 * second).is_ok());
    }

    #[test]
    fn one_event_a_minute_is_one_event_a_minute() {
        let limit = Limit {
            events: 1,
            period_seconds: 60,
        };
        let idle_at = limit.charge(0, 5_000_000).unwrap();
        assert_eq!(limit.charge(idle_at, 6_500_000), Err(59));
        assert!(limit.charge(idle_at, 65_000_000).is_ok());
    }

    #[test]
    fn a_limit_is_read_as_events_in_seconds() {
        let read = |text: &str| text.parse::<Limit>();
        let twenty = Limit {
            events: 20,
            period_seconds: 300,
        };
        assert_eq!(read("20/300"), Ok(twenty));
        assert_eq!(read("0/1"), Ok(Limit::NONE));
        for text in ["", "20", "20/0", "20/300s", "-1/5", "1/2/3"] {
            assert_eq!(read(text), Err(LimitError), "{text}");
        }
    }

    #[test]
    fn no_events_means_no_limit() {
        let limit = Limit {
            events: 0,
            period_seconds: 60,
        };
        assert_eq!(limit.charge(7, 1), Ok(7));
    }

    #[test]
    fn an_address_of_version_six_counts_by_its_network() {
        for (address, network) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network_of(address.parse().unwrap()), network);
        }
    }
}
