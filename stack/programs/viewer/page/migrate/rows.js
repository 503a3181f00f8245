// Dashboards from before version 16 of the schema (Grafana 5): rows of panels, whose widths are
// twelfths, and heights pixels.
const COLUMNS = 24;
const CELL_PX = 38; // with the gap below it
const ROW_PX = 250;
const LEAST_PX = 90;
const SPAN = 4;

/** The same panels in a grid, with headings if the rows had any. */
export function rowsToGrid(rows) {
  const headed = rows.some((row) => row.collapse || row.showTitle || row.repeat);
  const found = [];
  let y = 0;
  for (const row of rows) {
    const collapsed = Boolean(row.collapse);
    const panels = packed(row.panels ?? [], cells(row.height), headed ? y + 1 : y);
    if (headed) {
      found.push({
        type: 'row',
        title: row.title ?? '',
        repeat: row.repeat,
        collapsed,
        panels: collapsed ? panels : [],
        gridPos: { x: 0, y: y++, w: COLUMNS, h: 1 },
      });
    }
    if (collapsed) continue;
    found.push(...panels);
    y = panels.reduce((low, { gridPos }) => Math.max(low, gridPos.y + gridPos.h), y);
  }
  return found;
}

/** Each panel as high up as there is room, and there as far left. */
function packed(panels, height, top) {
  const tops = Array(COLUMNS).fill(top);
  return panels.map(({ span = SPAN, minSpan, height: own, ...panel }) => {
    const w = Math.min(COLUMNS, Math.max(1, Math.floor(span) * 2));
    const h = own ? cells(own) : height;
    const starts = Array.from({ length: COLUMNS - w + 1 }, (_, x) =>
      Math.max(...tops.slice(x, x + w)),
    );
    const y = Math.min(...starts);
    const x = starts.indexOf(y);
    tops.fill(y + h, x, x + w);
    const maxPerRow = minSpan ? Math.max(1, Math.floor(12 / minSpan)) : undefined;
    return { ...panel, maxPerRow, gridPos: { x, y, w, h } };
  });
}

const cells = (height) => Math.ceil(Math.max(LEAST_PX, parseInt(height, 10) || ROW_PX) / CELL_PX);
