//! What a launcher tells the processes that it starts.

/// Variables that hold the number of processes: of Open MPI's mpirun, of MPICH's, and of srun.
/// `SLURM_NTASKS` is not among them: a batch job has it outside of srun, too.
const VARIABLES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];

/// Processes that were started together; none where there is no launcher.
pub(crate) fn started(variable: impl Fn(&str) -> Option<String>) -> Option<usize> {
    VARIABLES.iter().find_map(|name| variable(name)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<usize> {
        started(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string()))
    }

    #[test]
    fn the_innermost_launcher_counts() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("SLURM_NTASKS", "8")]), None);
        assert_eq!(of(&[("SLURM_STEP_NUM_TASKS", "1"), ("OMPI_COMM_WORLD_SIZE", "4")]), Some(4));
        assert_eq!(of(&[("SLURM_STEP_NUM_TASKS", "16")]), Some(16));
        assert_eq!(of(&[("PMI_SIZE", "many"), ("SLURM_STEP_NUM_TASKS", "2")]), Some(2));
    }
}
