// The view as a picture with its labels, on the page's ground: for documents and messages.

/** A PNG of the canvas (just drawn) with the labels that are shown. */
export function takeSnapshot(canvas, labels, theme) {
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height;
  const scale = canvas.width / canvas.clientWidth;
  const context = picture.getContext("2d");
  context.fillStyle = theme.paper;
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(canvas, 0, 0);
  context.scale(scale, scale);
  context.textBaseline = "middle";
  for (const { box, text, kind } of labels) {
    context.font = `${kind === "room" ? 500 : 650} ${kind === "wing" ? 15 : 12.5}px ${theme.font}`;
    context.fillStyle = theme.surface;
    context.globalAlpha = 0.85;
    context.fillRect(box.x, box.y, box.w, box.h);
    context.globalAlpha = 1;
    context.fillStyle = theme.ink;
    context.fillText(text, box.x + 6, box.y + box.h / 2, box.w - 10);
  }
  return new Promise((resolve) => {
    picture.toBlob(resolve, "image/png");
  });
}
