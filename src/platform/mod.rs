//! What Android makes of facts about packages and properties. Pure: no input or output.

pub mod identity;
pub mod installer_agents;
pub mod placement;
pub mod protection;
