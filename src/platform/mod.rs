//! What Android makes of facts about packages.
