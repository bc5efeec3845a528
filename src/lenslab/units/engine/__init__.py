"""The ablation engine: from a network and a batch of images to every changed prediction, exactly."""
