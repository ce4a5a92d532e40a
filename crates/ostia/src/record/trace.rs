//! The trace that a request is part of: W3C's headers (<https://www.w3.org/TR/trace-context/>), and Portkey's.

use http::{HeaderMap, HeaderValue};

/// Digits of the ids of traces and spans, in hexadecimal.
const TRACE_DIGITS: usize = 32;
const SPAN_DIGITS: usize = 16;
/// Longest name of a span that is kept, in bytes.
const NAME_BYTES_MAX: usize = 200;
/// Longest `tracestate` that is passed on, in bytes: as much as the standard asks for.
const STATE_BYTES_MAX: usize = 512;

/// Where a request stands in its trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// The request's own span.
    pub span_id: Option<Box<str>>,
    /// The one that it stands below.
    pub parent_span_id: Option<Box<str>>,
    /// What its sender calls it.
    pub span_name: Option<Box<str>>,
    /// What `tracestate` says.
    pub state: Option<Box<str>>,
    /// The flags of `traceparent`, where there is one: the lowest bit says that the trace is sampled.
    pub flags: Option<u8>,
}

/// What `traceparent` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent<'h> {
    /// The trace.
    pub trace_id: &'h str,
    /// The span of whoever sent the request.
    pub parent_id: &'h str,
    flags: &'h str,
}

impl<'h> TraceParent<'h> {
    /// Reads the header. What is no such thing is as good as none, as the standard wants it; a later version's first fields are those
    /// of this one.
    pub fn parse(text: &'h str) -> Option<TraceParent<'h>> {
        let mut fields = text.trim().split('-');
        let (version, trace_id, parent_id, flags) =
            (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let is_hex = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_some = |text: &str| text.bytes().any(|byte| byte != b'0');
        let is_version =
            is_hex(version, 2) && version != "ff" && (version != "00" || fields.next().is_none());
        let is_right = is_version
            && is_hex(trace_id, TRACE_DIGITS)
            && is_hex(parent_id, SPAN_DIGITS)
            && is_hex(flags, 2)
            && is_some(trace_id)
            && is_some(parent_id);
        is_right.then_some(TraceParent { trace_id, parent_id, flags })
    }

    /// The same trace, below this span.
    pub fn below(&self, span_id: &str) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("00-{}-{span_id}-{}", self.trace_id, self.flags)).ok()
    }

    /// What the flags say; those that are not known are as good as not set.
    pub fn flags(&self) -> u8 {
        u8::from_str_radix(self.flags, 16).unwrap_or_default()
    }
}

/// What a provider gets: the same `traceparent`, as [`TraceParent::below`] makes it, with the span of this attempt.
pub fn at_span(parent: &HeaderValue, span: u64) -> HeaderValue {
    let attempt = || {
        let parent = TraceParent::parse(parent.to_str().ok()?)?;
        parent.below(&format!("{span:016x}"))
    };
    attempt().unwrap_or_else(|| parent.clone())
}

/// `tracestate` as it goes on: all of its lines (<https://www.w3.org/TR/trace-context/#tracestate-header>); `None` where there is none, or
/// more of it than has to be passed on.
pub fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    let lines = headers.get_all("tracestate").iter().filter_map(|line| line.to_str().ok());
    let text = lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(",");
    (!text.is_empty() && text.len() <= STATE_BYTES_MAX).then(|| HeaderValue::try_from(text).ok())?
}

/// The id of a new span: the end of an id that nobody else has, which is the random part of it.
pub fn span_id(unique: &str) -> &str {
    &unique[unique.ceil_char_boundary(unique.len().saturating_sub(SPAN_DIGITS))..]
}

/// A name of the client's own, as far as it is kept.
pub fn kept(value: &HeaderValue) -> Option<Box<str>> {
    let text = value.to_str().ok().filter(|text| !text.is_empty())?;
    Some(text[..text.floor_char_boundary(NAME_BYTES_MAX)].into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderName;

    #[test]
    fn headers_of_the_standard() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let check =
            |text: &str, is_right: bool| assert_eq!(TraceParent::parse(text).is_some(), is_right, "{text}");
        check(&format!("00-{trace}-{span}-01"), true);
        check(&format!(" 00-{trace}-{span}-00 "), true);
        check(&format!("cc-{trace}-{span}-01-more"), true);
        for wrong in [
            String::new(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", &trace[1..]),
        ] {
            check(&wrong, false);
        }
        let parent = format!("00-{trace}-{span}-01");
        let below = TraceParent::parse(&parent).unwrap().below(span_id("0123456789abcdef0123")).unwrap();
        assert_eq!(below, format!("00-{trace}-456789abcdef0123-01"));
        assert_eq!(at_span(&below, 0xab), format!("00-{trace}-00000000000000ab-01"));
        assert_eq!(TraceParent::parse(&parent).unwrap().flags(), 1);
    }

    #[test]
    fn states_of_others() {
        let check = |lines: &[&str], expected: Option<&str>| {
            let lines =
                lines.iter().map(|line| (HeaderName::from_static("tracestate"), line.parse().unwrap()));
            let told = state(&HeaderMap::from_iter(lines));
            assert_eq!(told.as_ref().map(|told| told.to_str().unwrap()), expected);
        };
        check(&[], None);
        check(&["a=1,b=2", " c=3 "], Some("a=1,b=2,c=3"));
        check(&[&"x".repeat(513)], None);
    }
}
