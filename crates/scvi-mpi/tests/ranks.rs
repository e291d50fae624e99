//! Processes of a real MPI, where one is installed: this program starts itself under its launcher.

#![cfg(target_os = "linux")]

use std::ops::ControlFlow;
use std::process::{Command, Output};
use std::sync::Arc;

use scvi::DefaultBackend;
use scvi::comm::Comm;
use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::module::{Vae, VaeConfig};
use scvi::train::{Event, TrainPlan, TrainingRun, train};
use scvi_mpi::{Mpi, MpiError, connect};

/// A test of this file in so many processes; nothing where there is no Open MPI.
fn launch(test: &str, processes: usize) -> Option<Output> {
    let version = Command::new("mpirun").arg("--version").output();
    let is_open_mpi =
        |output: &Output| String::from_utf8_lossy(&output.stdout).contains("Open MPI");
    if !version.is_ok_and(|output| is_open_mpi(&output)) {
        eprintln!("skipped: mpirun of Open MPI is not installed (Debian: openmpi-bin)");
        return None;
    }
    let mut command = Command::new("timeout");
    command.args(["60", "mpirun", "--oversubscribe", "--bind-to", "none", "-n"]);
    command.arg(processes.to_string()).arg(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    // Containers forbid a process to read another's memory.
    command.env("OMPI_MCA_btl_vader_single_copy_mechanism", "none");
    Some(command.output().unwrap())
}

fn text(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{err}")
}

fn connected() -> Mpi {
    connect().unwrap().expect("a launcher")
}

#[test]
fn processes_train_the_model_of_one() {
    for processes in [2, 3] {
        let Some(output) = launch("rank_trains", processes) else { return };
        let text = text(&output);
        assert!(output.status.success(), "{text}");
        for rank in 0..processes {
            assert!(text.contains(&format!("rank {rank} of {processes} agrees")), "{text}");
        }
    }
}

#[test]
#[ignore = "started by another test under mpirun"]
fn rank_trains() {
    let comm: Arc<dyn Comm> = Arc::new(connected());
    let (rank, size) = (comm.rank(), comm.size());
    let sim = simulate(&SimulateConfig { n_cells: 500, n_genes: 40, ..Default::default() });
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let config = VaeConfig { n_input: 40, n_batch: 2, n_hidden: 8, ..VaeConfig::default() };
    let plan = TrainPlan { max_epochs: Some(2), batch_size: 400, ..TrainPlan::default() };
    let spec = config.validate().unwrap();
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    threads.install(|| {
        let vae = Vae::new(DefaultBackend::new(), spec.clone(), plan.seed);
        let mut run = TrainingRun::of_worker(vae, &data, &plan, comm).unwrap();
        let shared = loop {
            if let Event::Done(stop) = run.advance().unwrap() {
                break run.finish(stop).unwrap();
            }
        };
        let alone = train(spec, &data, &plan, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(shared.history, alone.history);
        assert!(shared.module.state_dict() == alone.module.state_dict());
    });
    println!("rank {rank} of {size} agrees");
}

#[test]
fn a_panic_of_one_process_ends_all() {
    let Some(output) = launch("rank_1_panics", 3) else { return };
    assert!(!output.status.success());
    // 124 is the time limit's.
    assert_ne!(output.status.code(), Some(124), "{}", text(&output));
    assert!(text(&output).contains("as the test wants it"));
}

#[test]
#[ignore = "started by another test under mpirun"]
fn rank_1_panics() {
    let comm = connected();
    let mut received = vec![[0; 1]; comm.size()];
    let sent = vec![&[1][..]; comm.size()];
    assert_ne!(comm.rank(), 1, "as the test wants it");
    comm.exchange(&sent, &mut received.iter_mut().map(|byte| &mut byte[..]).collect::<Vec<_>>());
}

#[test]
fn another_launcher_is_refused() {
    if launch("rank_waits_for_nobody", 1).is_none() {
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "rank_is_alone", "--ignored", "--nocapture"]).env("PMI_SIZE", "2");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
#[ignore = "started by another test"]
fn rank_waits_for_nobody() {
    assert!(connect().unwrap().is_none());
}

#[test]
#[ignore = "started by another test as if by MPICH"]
fn rank_is_alone() {
    let refused = connect().unwrap_err();
    assert!(matches!(refused, MpiError::Launcher { processes: 2, .. }), "{refused}");
}

#[test]
fn a_library_that_is_no_mpi_is_named() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "library_is_named", "--ignored", "--nocapture"]);
    command.env("PMI_SIZE", "2").env("SCVI_MPI", "libm.so.6");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
#[ignore = "started by another test with SCVI_MPI"]
fn library_is_named() {
    let refused = connect().unwrap_err();
    assert!(matches!(refused, MpiError::Lacks { name: "MPI_Init_thread", .. }), "{refused}");
}
