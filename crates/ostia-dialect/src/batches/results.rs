//! What comes of a batch, on its way from the vendor: in one stream of lines, in pages, or in files at addresses of their own. It is read
//! source after source, and cut into rows while its bytes come.

use std::collections::VecDeque;

use super::avro::Avro;
use super::form::Found;
use super::page::{Page, PageFields};
use super::{Line, Lines, TooLong};
use crate::json::{Document, Node};
use crate::step::Step;
use crate::{Api, Fault};

/// How deep a row of results is looked into: to the fields of the answer.
pub const RESULT_DEPTH: usize = 4;
/// Most files that the results of one batch may be in.
const FILES_MAX: usize = 1024;
/// Longest text that a page is asked for by, in bytes.
const PAGE_TOKEN_BYTES_MAX: usize = 2048;

/// Where a vendor has what comes of a batch.
#[derive(Debug, Clone)]
pub enum Results {
    /// In lines, at one place.
    Lines(Step),
    /// In pages.
    Pages(Pages),
    /// In files at addresses that the answer to a request names. Whoever knows one may read the file: no key goes there.
    Files(Listing),
}

/// Pages of results, each asked for by what the one before says.
#[derive(Debug, Clone)]
pub struct Pages {
    /// What a page calls its parts.
    pub fields: PageFields,
    /// Asks for a page of a batch: the first, or the one that is asked for by this text.
    pub step: fn(&Found, Option<&str>) -> Step,
}

/// Files of results.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Asks where they are.
    pub step: Step,
    /// Their addresses, in the answer.
    pub decode: fn(Node<'_>) -> Vec<String>,
    /// What they are.
    pub format: FileFormat,
}

/// What files of results are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FileFormat {
    /// Lines of JSON.
    #[default]
    Lines,
    /// Avro's object containers.
    Avro,
}

/// Where bytes of results come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The answer to this request.
    Step(Step),
    /// The file at this address.
    Address(String),
}

impl Source {
    /// The API at whose host it is.
    pub fn api(&self) -> Option<Api> {
        match self {
            Source::Step(step) => step.place.api(),
            Source::Address(_) => None,
        }
    }
}

/// Reads results, source after source.
#[derive(Debug, Default)]
pub struct ResultsReader {
    sources: VecDeque<Source>,
    format: FileFormat,
    cut: Cut,
    /// The batch, where there may be a further page.
    pages: Option<(Pages, Found)>,
    /// What the last page was asked for by.
    asked: Option<String>,
}

/// How the bytes of a source are cut into rows.
#[derive(Debug)]
enum Cut {
    Lines(Lines),
    Page(Page),
    Avro(Avro),
}

impl Default for Cut {
    fn default() -> Cut {
        Cut::Lines(Lines::of_results())
    }
}

impl Cut {
    fn of(format: FileFormat) -> Cut {
        match format {
            FileFormat::Lines => Cut::default(),
            FileFormat::Avro => Cut::Avro(Avro::default()),
        }
    }
}

impl ResultsReader {
    /// Lines, at one place, or at two.
    pub fn lines(step: Step, further: Option<Step>) -> ResultsReader {
        let sources = std::iter::once(step).chain(further).map(Source::Step).collect();
        ResultsReader { sources, ..ResultsReader::default() }
    }

    /// Pages of this batch.
    pub fn pages(pages: Pages, found: Found) -> ResultsReader {
        let first = Source::Step((pages.step)(&found, None));
        ResultsReader {
            sources: [first].into(),
            cut: Cut::Page(Page::new(pages.fields)),
            pages: Some((pages, found)),
            ..ResultsReader::default()
        }
    }

    /// Files whose addresses stand in this answer.
    ///
    /// # Errors
    /// 502 for an answer that names none, or more than a batch has.
    pub fn files(listing: &Listing, answer: &[u8]) -> Result<ResultsReader, Fault> {
        let document = Document::parse(answer)
            .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
        let addresses = (listing.decode)(document.root());
        if addresses.is_empty() || addresses.len() > FILES_MAX {
            return Err(Fault::upstream("The provider does not say where the results are."));
        }
        let sources = addresses.into_iter().map(Source::Address).collect();
        let format = listing.format;
        Ok(ResultsReader { sources, format, cut: Cut::of(format), ..ResultsReader::default() })
    }

    /// Where the next bytes come from; `None`: that was all.
    pub fn next_source(&mut self) -> Option<Source> {
        self.sources.pop_front()
    }

    /// Takes bytes of the source, and gives each row that they end.
    ///
    /// # Errors
    /// What `each` says, and 502 for what holds no rows.
    pub fn push(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match &mut self.cut {
            Cut::Lines(lines) => lines
                .push(bytes, &mut |line: Line<'_>| each(line.text).map_err(Stop))
                .map_err(|Stop(fault)| fault),
            Cut::Page(page) => page.push(bytes, each),
            Cut::Avro(avro) => avro.push(bytes, each),
        }
    }

    /// The source has ended.
    ///
    /// # Errors
    /// As for [`ResultsReader::push`].
    pub fn end_source(&mut self, each: &mut impl FnMut(&[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
        match std::mem::replace(&mut self.cut, Cut::of(self.format)) {
            Cut::Lines(mut lines) => lines.finish(&mut |line: Line<'_>| each(line.text)),
            Cut::Page(page) => {
                let next = page.finish()?;
                self.turn(next)
            }
            Cut::Avro(avro) => avro.finish(),
        }
    }

    /// Goes on with the next page, if there is one.
    fn turn(&mut self, next: Option<String>) -> Result<(), Fault> {
        let (Some(next), Some((pages, found))) = (next, &self.pages) else { return Ok(()) };
        if next.len() > PAGE_TOKEN_BYTES_MAX || self.asked.as_ref() == Some(&next) {
            return Err(Fault::upstream("The provider's pages of results lead nowhere."));
        }
        self.sources.push_back(Source::Step((pages.step)(found, Some(&next))));
        self.cut = Cut::Page(Page::new(pages.fields));
        self.asked = Some(next);
        Ok(())
    }
}

/// Why no further line is looked at.
struct Stop(Fault);

impl From<TooLong> for Stop {
    fn from(TooLong(number): TooLong) -> Stop {
        Stop(Fault::upstream(format!("Line {number} of the provider's results is too long.")))
    }
}
