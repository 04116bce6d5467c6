// Charts whose traces belong to clusters bring out the same one: chosen by a button, or by a click on a mark.
const CHOSEN = "cluster:chosen";
const DIMMED = 0.07;

let present = null;

/** Bring out a cluster everywhere; null brings out all. */
export function chooseCluster(cluster) {
  present = cluster;
  document.dispatchEvent(new CustomEvent(CHOSEN, { detail: cluster }));
}

/** Make a drawn plot follow the choice, and choose what is clicked in it. */
export function linkClusters(Plotly, plot) {
  const clusters = plot.data.map((trace) => trace.meta?.cluster ?? null);
  if (!clusters.some((cluster) => cluster !== null)) return;
  const usual = plot.data.map((trace) => trace.opacity ?? 1);
  const follow = (chosen) => Plotly.restyle(plot, { opacity: opacities(clusters, usual, chosen) });
  document.addEventListener(CHOSEN, (event) => follow(event.detail));
  plot.on("plotly_click", ({ points }) => {
    const cluster = points[0]?.data.meta?.cluster ?? null;
    if (cluster !== null) chooseCluster(cluster === present ? null : cluster);
  });
  if (present !== null) follow(present);
}

/** How opaque each trace is while a cluster is brought out. */
export function opacities(clusters, usual, chosen) {
  return clusters.map((cluster, place) =>
    chosen === null || cluster === null || cluster === chosen ? usual[place] : DIMMED,
  );
}

/** Let the buttons of `[data-cluster-choice]` choose, and show what is chosen. */
export function startClusterChoice(root = document) {
  for (const group of root.querySelectorAll("[data-cluster-choice]")) {
    const buttons = [...group.querySelectorAll("[data-cluster]")];
    group.addEventListener("click", (event) => {
      const value = event.target.closest("[data-cluster]")?.dataset.cluster;
      if (value !== undefined) chooseCluster(value === "" ? null : Number(value));
    });
    document.addEventListener(CHOSEN, ({ detail }) => {
      for (const button of buttons)
        button.setAttribute(
          "aria-pressed",
          String(button.dataset.cluster === String(detail ?? "")),
        );
    });
  }
}
