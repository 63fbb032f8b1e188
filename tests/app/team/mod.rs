//! The door and the team over HTTP.

mod door;
mod machines;
mod members;
mod rights;
mod throttle;
