//! Steering: the scoring form.

mod editor;
mod journeys;
