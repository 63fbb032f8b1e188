//! The door and the team over HTTP.

mod audited;
mod bodies;
mod door;
mod every_route;
mod hostile;
mod leaving;
mod machines;
mod members;
mod rights;
mod throttle;
