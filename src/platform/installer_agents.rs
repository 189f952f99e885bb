//! Pre-installed programs that add apps after first start.
//!
//! One of them on a device explains why an app is absent from the firmware and present after set-up. It does not show
//! which apps it adds.
//!
//! Source: Universal Android Debloater (next generation) at 9336f25, `resources/assets/uad_lists.json`, which describes
//! each of these ids as an installer of apps at or after set-up.

/// Application ids, and beginnings of ids where the name ends in a dot.
const AGENTS: [&str; 4] =
    ["com.samsung.android.app.omcagent", "com.aura.oobe.", "com.ironsource.appcloud.", "com.dti."];

/// Whether a package is known to add apps after first start.
#[must_use]
pub fn is_installer_agent(package: &str) -> bool {
    AGENTS.iter().any(|agent| if agent.ends_with('.') { package.starts_with(agent) } else { package == *agent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_known_by_its_whole_name_or_by_its_family() {
        assert!(is_installer_agent("com.samsung.android.app.omcagent"));
        assert!(is_installer_agent("com.aura.oobe.samsung.gl"));
        for neighbour in ["com.samsung.android.app.omcagent2", "com.aura.oobes", "com.dti", "com.dtix.agent"] {
            assert!(!is_installer_agent(neighbour), "{neighbour}");
        }
    }
}
