"""The program is killed at every named crash point, stopped, starved of disk, and must have lost and doubled nothing."""
