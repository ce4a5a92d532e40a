//! Plans as sentences: `tree | what targets do => what happens`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bounds;
mod mid_stream;
mod shared;
mod simulation;
mod strategies;
mod tree;
mod world;

use world::World;

/// One request in a fresh world. Targets that are not mentioned answer with 200; see [`World::ask`].
fn check(sentence: &str) {
    let (tree, story) = sentence.split_once('|').expect("a tree, `|`, and a story");
    World::new(tree).ask(story);
}
