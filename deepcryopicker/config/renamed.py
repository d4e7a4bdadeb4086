"""Old names, and what they are called now: refusals of an old name give the new one."""

_IN_ABLATION = (
    "augmentation cleaning compare_labelers contaminants distance few_samples input_size leak "
    "learning_rate leave_one_step_out losses network_variants nms nms_iou padding "
    "preprocessing_variants rounds scale_factor selection_modes smoothing split_shares step "
    "training_particles tuning"
)
_IN_PAPER = (
    "figure2 leave_one_out table3_paper table4 table5 table8 table9 training_set training_time"
)
_IN_BENCHMARK = "apoferritin beta_galactosidase klh ribosome"

EXPERIMENTS: dict[str, str] = {
    **{name: f"ablation/{name}" for name in _IN_ABLATION.split()},
    **{name: f"paper/{name}" for name in _IN_PAPER.split()},
    **{f"benchmark_{name}": f"benchmark/{name}" for name in _IN_BENCHMARK.split()},
}
"""Experiments of version 0.1.0, all of which were in one folder."""
