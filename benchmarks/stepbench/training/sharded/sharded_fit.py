"""The training that all ranks take part in: each has its rows, rank 0 has the solver and, in the end, the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import numpy as np

from stepbench.cases.data_table import classes_of_target
from stepbench.cases.label_text import Labels, few
from stepbench.cases.standardizing import Moments, Scaling, joined, moments_of, scaling_by
from stepbench.training.fitting import STEPS, Trained
from stepbench.training.model_file import Model
from stepbench.training.model_parts import NO_INDICES
from stepbench.training.scores import score_of
from stepbench.training.settings import Training, require_sensible
from stepbench.training.sharded.bound_share import BoundShare
from stepbench.training.sharded.checkpoints import (
    EVERY_SECONDS,
    Checkpoint,
    Going,
    Keeper,
    load_checkpoint,
    require_going,
)
from stepbench.training.sharded.own_rows import bytes_of, own_rows
from stepbench.training.sharded.rows_of_rank import OwnRows, Rows
from stepbench.training.sharded.world import all_or_none, decided, preparing_seconds, require_alike
from stepkernels.arrays.torch_ranks.orders import Leading, LedStep, obey
from stepkernels.arrays.torch_ranks.ranks import Ranks
from stepkernels.arrays.torch_ranks.sharded_step import ShardedStep, starting_from
from stepkernels.classifier.choice import AUTO, choose_row
from stepkernels.classifier.gradient_descent import descend
from stepkernels.classifier.hyperparameters import LBFGS
from stepkernels.classifier.lbfgs import solve_lbfgs
from stepkernels.classifier.solution import Goal, Report, Solution, remedy_of
from stepkernels.interface import GradientWorkspace, Implementation, Op, with_gradient
from stepkernels.probe import library_version
from stepkernels.problem import OPTIMIZERS, Adam, Array, Config, Problem, ProblemError, rate_below
from stepreports.telling.text import counted

Keep = Callable[[Model], object]

VERSIONS = ("python", "numpy", "torch", "numba")


def train_on_ranks(
    source: str, wanted: Training, going: Going, ranks: Ranks, report: Report, keep: Keep
) -> Trained | None:
    """Learn a table's target from the rows of all ranks; what was trained on rank 0, None on the others.

    `keep` gets the model on rank 0 before it is scored: what is lost by then is the score alone.

    Raises `ProblemError`, on every rank, for data or settings that cannot be worked with, and `RanksLostError`.
    """
    all_or_none(ranks, lambda: require_shareable(wanted))
    decided(ranks, lambda: require_going(going, settings_told(wanted)))
    sizes = ranks.all_told(all_or_none(ranks, lambda: bytes_of(source)))
    ranks.allow(preparing_seconds(max(sizes)))
    own = all_or_none(ranks, lambda: own_rows(source, wanted, ranks.rank, ranks.count))
    settings = {name: value for name, value in asdict(wanted).items() if name != "reading"}
    require_alike(ranks, {"versions": {name: library_version(name) for name in VERSIONS}, "settings": settings})
    require_alike(ranks, {"data": f"{own.table} ({own.likeness})", "columns": [*own.columns, own.target]})
    return Fitting(own, wanted, going, ranks).train(report, keep)


def require_shareable(wanted: Training) -> None:
    """Raise `ProblemError` for settings that a training on ranks does not know."""
    require_sensible(wanted)
    if wanted.batch_size is not None:
        raise ProblemError("Ranks take full-batch steps; leave out --batch-size, or train in one process.")
    if wanted.storage is not None:
        raise ProblemError("Ranks keep the features as they are; leave out --storage, or train in one process.")


def optimizer_of(wanted: Training) -> str:
    """What has more rows than one memory holds is not small, and "auto" means L-BFGS."""
    return LBFGS if wanted.optimizer == AUTO else wanted.optimizer


def settings_told(wanted: Training) -> str:
    """The settings without which a checkpoint is of no use."""
    return (
        f"{optimizer_of(wanted)}, l2 {wanted.l2:g}, held out {wanted.held_out:g}, "
        f"{'' if wanted.standardize else 'not '}standardized"
    )


class Fitting:
    """One rank's part of a training."""

    def __init__(self, own: OwnRows, wanted: Training, going: Going, ranks: Ranks) -> None:
        self.own, self.wanted, self.going, self.ranks = own, wanted, going, ranks
        self.optimizer, self.settings = optimizer_of(wanted), settings_told(wanted)
        self.dtype = wanted.dtype or ("float32" if own.known.dtype == np.float32 else "float64")
        self.classes = self.agreed_classes()
        self.moments = joined([part for part in ranks.all_told(moments_in_blocks(own.known)) if part is not None])
        self.scaling = self.chosen_scaling()
        self.row = all_or_none(ranks, lambda: able_row(wanted.row, own.known.m * own.known.n))
        self.config = self.chosen_config()
        self.told: list[str] = []
        if any(ranks.all_told(own.on_disk)):
            self.told.append("The features stay on disk: each rank reads its rows a block at a time, in every step.")

    def train(self, report: Report, keep: Keep) -> Trained | None:
        begun = decided(self.ranks, self.found_checkpoint)
        step = self.bound()

        def lead() -> tuple[Model, Solution]:
            solution = self.solve(LedStep(Leading(self.ranks), 0, step), begun, report)
            model = self.model_of(solution)
            keep(model)
            return model, solution

        return self.judged(decided(self.ranks, lead, lambda: obey(self.ranks, {0: step})))

    def agreed_classes(self) -> Labels:
        """The two classes among the labels of all ranks, on both sides of what is held out."""
        parts = (self.own.labels, self.own.unseen_labels)
        found = self.ranks.all_told([np.unique(part) for part in parts])
        known, unseen = (np.concatenate([each[side] for each in found]) for side in (0, 1))
        classes = classes_of_target(np.concatenate([known, unseen]), self.own.table, self.own.target)
        for part in (known, unseen):
            if len(np.unique(part)) < 2:
                raise ProblemError(
                    "The last rows are held out, and on one side of that border is one class only. Shuffle the rows."
                )
        return classes

    def chosen_scaling(self) -> Scaling:
        if self.wanted.standardize:
            return scaling_by(self.moments, self.own.columns)
        n = len(self.own.columns)
        return Scaling(mean=np.zeros(n), scale=np.ones(n), constant=np.zeros(n, bool))

    def chosen_config(self) -> Config:
        """As one process chooses it; the mean of ‖x‖² follows from the moments of the columns."""
        if self.optimizer == LBFGS:
            return Config(dtype=self.dtype, l2=self.wanted.l2)
        if self.optimizer not in OPTIMIZERS:
            raise ProblemError(
                f"Ranks cannot train with {self.optimizer!r}; choose from auto, {LBFGS}, {', '.join(OPTIMIZERS)}."
            )
        kind, rate = OPTIMIZERS[self.optimizer], self.wanted.learning_rate
        if rate is None:
            centred = np.square(self.moments.mean - self.scaling.mean)
            squares = (self.moments.variance + centred) / np.square(self.scaling.scale)
            rate = kind().learning_rate if kind is Adam else rate_below(float(squares.sum()), self.wanted.l2)
        return Config(dtype=self.dtype, optimizer=kind(learning_rate=rate), l2=self.wanted.l2)

    def bound(self) -> ShardedStep:
        """The rank's part of the step.

        The ranks compile one after the other, as a cache of Numba's wants it, and then read all at once.
        """
        bound = self.share() if self.own.known.m else None
        for rank in self.ranks.in_turn():
            if rank == self.ranks.rank and bound is not None:
                bound.compile()
        share = all_or_none(self.ranks, lambda: None if bound is None else bound.read())
        start = starting_from(np.zeros(len(self.own.columns), self.dtype), 0.0)
        return ShardedStep(self.ranks, start, share, self.own.known.m, self.own.all_known, self.config)

    def share(self) -> BoundShare:
        """Where the rank's rows go, as the row of the catalogue binds them."""
        rows, y = self.own.known, (self.own.labels == self.classes[1]).astype(self.dtype)
        config = replace(self.config, l2=0.0)

        def bind(problem: Problem) -> GradientWorkspace:
            return with_gradient(self.row.bind(problem, config))

        return BoundShare(rows, y, self.scaling, self.dtype, bind, on_disk=self.own.on_disk)

    def found_checkpoint(self) -> Checkpoint | None:
        """What rank 0 finds of an earlier training."""
        if self.going.checkpoint is None or not self.going.resume:
            return None
        return load_checkpoint(self.going.checkpoint, self.settings, self.data)

    @property
    def data(self) -> str:
        """Which data these are: a checkpoint of others is of no use."""
        return f"{self.own.table}, {self.own.likeness}, target {self.own.target}, in {self.dtype}"

    def solve(self, step: LedStep, begun: Checkpoint | None, report: Report) -> Solution:
        """On rank 0: as far as is wanted, from the start or from a checkpoint. The end is told to the others."""
        before = 0
        if begun is not None:
            before = begun.iterations
            step.reset(begun.w, begun.b, begun.moments, begun.step)
            self.told.append(f"Went on from iteration {before:,} of an earlier training.")
        folder = self.going.checkpoint
        keeper = None if folder is None else Keeper(folder, self.settings, self.data)

        def noted(iteration: int, cost: float) -> None:
            report(before + iteration, cost)
            if keeper is not None:
                keeper.keep(step.snapshot(), before + iteration)

        left = max((self.wanted.steps or STEPS) - before, 1)
        goal = Goal(left, float(self.wanted.tol), noted, remedy_of(self.wanted.learning_rate))
        with step.leading.ended():
            if self.optimizer == LBFGS:
                return solve_lbfgs(step, goal)
            return descend(step, True, goal, EVERY_SECONDS)

    def judged(self, led: tuple[Model, Solution] | None) -> Trained | None:
        """The model on rank 0, scored by the rows that all ranks have held out."""
        told = self.ranks.tell_object(None if led is None else led[0])
        margins = self.ranks.first_told(all_or_none(self.ranks, lambda: self.margins_of(told)))
        positive = self.ranks.first_told(self.own.unseen_labels == self.classes[1])
        if led is None:
            return None
        model, solution = led
        return Trained(
            model=model,
            costs=solution.costs,
            iteration="iteration",
            rows=self.own.all_known,
            score=score_of(model, np.concatenate(margins), np.concatenate(positive)),
            notes=self.notes(solution),
        )

    def margins_of(self, model: Model) -> Array:
        """Those of the rows that this rank has held out, of which no more is in memory than in a step."""
        margins = np.empty(self.own.unseen.m)
        for part, block in self.own.unseen.blocks():
            margins[part] = model.margins(block, np.arange(part.start, part.stop))
        return margins

    def model_of(self, solution: Solution) -> Model:
        return Model(
            w=solution.w,
            b=solution.b.reshape(()),
            mean=self.scaling.mean,
            scale=self.scaling.scale,
            classes=self.classes,
            columns=np.array(self.own.columns),
            target=np.array(self.own.target),
            trained_on=np.array(self.own.table),
            row=np.array(f"{self.row.name} on {counted(self.ranks.count, 'rank')}"),
            optimizer=np.array(self.optimizer),
            named=np.array(int(self.own.named)),
            counted_from=np.array(NO_INDICES),
        )

    def notes(self, solution: Solution) -> Sequence[str]:
        n, constant = len(self.own.columns), self.scaling.constant
        note = "The columns were left as they are, not standardized."
        if self.wanted.standardize:
            note = f"Standardized {counted(n, 'column')} to zero mean and unit variance."
            if useless := [column for column, same in zip(self.own.columns, constant, strict=True) if same]:
                note += f" Constant, and so of no use: {few(useless)}."
        unfinished = [f"Not converged: {solution.unfinished}."] if solution.unfinished else []
        return [note, *self.told, *unfinished]


def able_row(name: str, elements: int) -> Implementation:
    """The row that takes the gradients. Raises `ProblemError` for one that cannot."""
    row = choose_row(name, elements)
    if Op.GRADIENT not in row.ops:
        raise ProblemError(f"Ranks need the gradient of their rows alone, and {row.name} only takes whole steps.")
    if row.has_ranks:
        raise ProblemError(f"{row.name} has ranks of its own; take a row that computes in one process, as numba-fused.")
    return row


def moments_in_blocks(rows: Rows) -> Moments | None:
    """Those of all the rows, which blocks are joined to as they come; None where there are no rows."""
    found = None
    for _, block in rows.blocks():
        part = moments_of(block)
        found = part if found is None else joined([found, part])
    return found
