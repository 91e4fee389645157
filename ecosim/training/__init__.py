"""Where minds are made: data, training, report cards, gates; recipes are `agents/<role>/recipe.yaml`."""
