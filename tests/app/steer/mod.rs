//! Steering: the scoring form and the JSON API.

mod accounts_api;
mod agreement;
mod editor;
mod journeys;
mod metrics;
mod model_api;
mod workspaces_api;
