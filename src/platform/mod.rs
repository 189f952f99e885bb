//! What Android makes of facts about packages and properties. Pure: no input or output.

pub mod conclusions;
pub mod default_roles;
pub mod framework;
pub mod grants;
pub mod home_layout;
pub mod identity;
pub mod installer_agents;
pub mod launcher;
pub mod permissions;
pub mod placement;
pub mod presence;
pub mod protection;
pub mod removability;
pub mod role_definitions;
pub mod same_software;
pub mod signing;
mod statements;
pub mod uraniborg;

#[cfg(test)]
#[path = "../../tests/support/inventory.rs"]
pub(crate) mod sample;
