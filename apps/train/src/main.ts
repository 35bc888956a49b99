console.error("@gradstep/train: nothing here yet.");
