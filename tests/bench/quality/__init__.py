"""How well the shipped rules judge: real short trainings with planted, labelled faults and clean ones, and their measure."""
