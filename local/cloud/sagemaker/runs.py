"""How a training job comes to its instances, trains, is interrupted, and ends."""

from __future__ import annotations

from collections.abc import Callable

from local.cloud.sagemaker.admission import accelerated
from local.cloud.sagemaker.capacity import Capacity
from local.cloud.sagemaker.events import announce_job
from local.cloud.sagemaker.jobs import TrainingJob, Work
from local.cloud.sagemaker.store import Store
from local.cloud.world import WORLD

CAPACITY_ERROR = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a "
    "different ML instance type."
)
"""github.com/DIAGNijmegen/rse-grand-challenge/issues/2631."""
INSUFFICIENT = "Insufficient capacity error from EC2 while launching instances, retrying!"
"""botocore service model, `SecondaryStatusTransition.StatusMessage`."""
MAX_RUNTIME, MAX_WAIT = "MaxRuntimeExceeded", "MaxWaitTimeExceeded"


class TrainingRuns(Store):
    """What becomes of training jobs, in AWS's statuses and in `WORLD.durations`.

    Order of the statuses: SageMaker developer guide, model-managed-spot-training-status (with
    Interrupted leading back to Starting, and Stopping before every Stopped); Pending: botocore
    service model, `DescribeTrainingJob`. Messages: the service model's, and those that clients
    log. A time-out waits for nothing: MaxRuntimeInSeconds counts time on instances,
    MaxWaitTimeInSeconds all time since creation (botocore service model, `StoppingCondition`).

    A job launches when its whole fleet can. Progress outlives instances only by checkpoints; jobs
    with the same CheckpointConfig.S3Uri share them, and with them the work to be done (developer
    guide, model-checkpoints).
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.capacity = Capacity()
        self.default_work = Work()
        self.works: dict[str, Work] = {}
        self.checkpoints: dict[str, float] = {}

    def launch(self, job: TrainingJob) -> None:
        """Set a new job going."""
        self.jobs[job.name.lower()] = job
        self._move(job, "Starting", "Starting the training job")
        if WORLD.switches.jobs_wait_in_pending:
            self._move(job, "Pending", "Training job waiting for capacity")
        if (wait := job.stopping_condition.get("MaxWaitTimeInSeconds")) is not None:
            WORLD.later(wait, lambda: self._run_out(job, MAX_WAIT))
        self._seek(job)
        if job.waiting and not job.spot:
            self._bound_waiting(job)

    def stop(self, job: TrainingJob, outcome: str) -> None:
        """Stop a job, which ends in the secondary status `outcome`."""
        self._save(job)
        job.progress, job.training_since, job.waiting = job.done(), None, False
        job.status = "Stopping"
        self._move(job, "Stopping", "Stopping the training job")
        message = {
            "Stopped": "Training job stopped",
            MAX_RUNTIME: "Training job runtime exceeded MaxRuntimeInSeconds provided",
            MAX_WAIT: "Training job exceeded the maximum allowed wait time",
        }[outcome]
        self._after(
            job, WORLD.durations.training_stop, lambda: self._end(job, "Stopped", outcome, message)
        )

    def interrupt(self, job: TrainingJob) -> None:
        """Take a Spot job's instances away; it seeks others."""
        self._save(job)
        job.leave_instances()
        self._move(job, "Interrupted", "Managed spot training instances were interrupted")
        self._after(job, WORLD.durations.training_interrupt, lambda: self._seek(job))
        self.serve_waiting()

    def serve_waiting(self) -> None:
        """Give what capacity there is to the jobs that wait for it, the oldest first."""
        for job in sorted(self.jobs.values(), key=lambda each: each.created):
            if job.waiting:
                self._seek(job)

    def set_work(self, job: TrainingJob, work: Work) -> None:
        """Let a job, and every later one that shares its checkpoints, have this work."""
        self._save(job)
        job.work = work
        if (uri := job.checkpoint_uri) is not None:
            self.works[uri] = work
        if job.training_since is not None:
            job.step += 1
            self._train_to_the_end(job)

    def work_for(self, checkpoint_uri: str | None) -> Work:
        """The work of a new job that keeps its checkpoints there."""
        return self.works.get(checkpoint_uri or "", self.default_work)

    def checkpointed(self, uri: str) -> float:
        """Seconds of work that the checkpoints at `uri` hold now."""
        for job in self.jobs.values():
            self._save(job)
        return self.checkpoints.get(uri, 0.0)

    def _seek(self, job: TrainingJob) -> None:
        fitting = (each for each in job.fleets if self.capacity.has(each, self.jobs.values()))
        fleet = next(fitting, None)
        if fleet is None:
            job.waiting = True
            job.transitions[-1].message = INSUFFICIENT
            return
        job.fleet, job.holding, job.waiting = fleet, True, False
        if job.secondary == "Interrupted":
            self._move(job, "Starting", "Starting the training job")
        job.step += 1
        job.transitions[-1].message = "Preparing the instances for training"
        self._after(job, WORLD.durations.training_start, lambda: self._board(job))

    def _bound_waiting(self, job: TrainingJob) -> None:
        """Plan how waiting for On-Demand capacity ends.

        MaxPendingTimeInSeconds bounds it for accelerated types; a list without any is evaluated
        once (developer guide, train-instance-preferences). A job that timed out waiting is
        Stopped and "secondaryStatus indicates" it (AWS Batch user guide,
        sm_job_stuck_in_runnable_capacity); of the model's statuses that can only be
        MaxWaitTimeExceeded. Without the bound it fails once AWS's patience is at its end.
        """
        waits = accelerated(job.fleets)
        bound = job.stopping_condition.get("MaxPendingTimeInSeconds")
        if bound is not None and waits:
            self._after(job, bound, lambda: self.stop(job, MAX_WAIT))
            return
        listed = "InstancePreferences" in job.request["ResourceConfig"]
        patience = WORLD.durations.capacity_patience if waits or not listed else 0.0
        self._after(job, patience, lambda: self._fail(job, CAPACITY_ERROR))

    def _board(self, job: TrainingJob) -> None:
        now = WORLD.clock()
        job.boarded = now
        if job.started is None:
            job.started = now
        self._move(job, "Downloading", "Downloading input data")

        def run_out() -> None:
            if job.boarded == now:
                self._run_out(job, MAX_RUNTIME)

        WORLD.later(job.stopping_condition["MaxRuntimeInSeconds"] - job.ran, run_out)
        self._after(job, WORLD.durations.training_download, lambda: self._train(job))

    def _train(self, job: TrainingJob) -> None:
        uri = job.checkpoint_uri
        job.progress = 0.0 if uri is None else self.checkpointed(uri)
        job.training_since = WORLD.clock()
        self._move(job, "Training", "Training image download completed. Training in progress.")
        self._train_to_the_end(job)

    def _train_to_the_end(self, job: TrainingJob) -> None:
        left = max(0.0, job.work.seconds - job.done())
        self._after(job, left, lambda: self._upload(job))

    def _upload(self, job: TrainingJob) -> None:
        job.progress, job.training_since = job.work.seconds, None
        if (uri := job.checkpoint_uri) is not None:
            self.checkpoints[uri] = job.work.seconds
        self._move(job, "Uploading", "Uploading generated training model")
        self._after(
            job,
            WORLD.durations.training_upload,
            lambda: self._end(job, "Completed", "Completed", "Training job completed"),
        )

    def _run_out(self, job: TrainingJob, outcome: str) -> None:
        """A time-out: the job stops, unless its result is being uploaded already."""
        if job.status == "InProgress" and job.secondary != "Uploading":
            self.stop(job, outcome)

    def _fail(self, job: TrainingJob, reason: str) -> None:
        job.failure_reason = reason
        self._end(job, "Failed", "Failed", reason)

    def _end(self, job: TrainingJob, status: str, secondary: str, message: str) -> None:
        job.leave_instances()
        job.status, job.waiting, job.ended = status, False, WORLD.clock()
        self._move(job, secondary, message)
        self.serve_waiting()

    def _save(self, job: TrainingJob) -> None:
        """Write the checkpoints that are due until now."""
        if (uri := job.checkpoint_uri) is not None and job.training_since is not None:
            self.checkpoints[uri] = max(self.checkpoints.get(uri, 0.0), job.kept())

    def _move(self, job: TrainingJob, secondary: str, message: str) -> None:
        job.enter(secondary, message)
        announce_job(job)

    def _after(self, job: TrainingJob, seconds: float, act: Callable[[], None]) -> None:
        """Act after some seconds, unless something else becomes of the job before."""
        step = job.step

        def act_if_still_due() -> None:
            if job.step == step:
                act()

        WORLD.later(seconds, act_if_still_due)
