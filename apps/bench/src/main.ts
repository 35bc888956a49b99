console.error("@gradstep/bench: nothing here yet.");
