// A page's first drawing on a canvas connects it to the process of the GPU, and waits for that process: 170 ms on the main
// thread while shaders are compiled in software. Imported, this draws as soon as the page has loaded.
const canvas = document.createElement("canvas");
// Chrome draws smaller ones without the GPU.
canvas.width = 300;
canvas.height = 300;
canvas.getContext("2d")!.fillRect(0, 0, 1, 1);
