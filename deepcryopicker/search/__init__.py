"""Search of hyper-parameters: sweeps whose jobs Optuna chooses, and stops where hopeless."""
