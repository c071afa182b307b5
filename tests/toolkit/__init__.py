"""What stands below everything else."""
