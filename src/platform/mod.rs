//! What Android makes of facts about packages and properties. Pure: no input or output.

pub mod grants;
pub mod identity;
pub mod installer_agents;
pub mod permissions;
pub mod placement;
pub mod protection;

#[cfg(test)]
#[path = "../../tests/support/inventory.rs"]
pub(crate) mod sample;
