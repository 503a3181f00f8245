import { ReducerID, formattedValueToString, getFieldDisplayValues } from '@grafana/data';
import { VizLayout, VizLegend, useTheme2 } from '@grafana/ui';
import { NoData } from './empty';

/** Shares of a whole, largest first; each says itself in the legend, and where the mouse is. */
export function PieChartPanel({
  data,
  options,
  fieldConfig,
  replaceVariables,
  timeZone,
  width,
  height,
}) {
  const theme = useTheme2();
  if (!data.series.length) return <NoData data={data} fieldConfig={fieldConfig} />;
  const found = getFieldDisplayValues({
    data: data.series,
    fieldConfig,
    reduceOptions: { calcs: [ReducerID.lastNotNull], values: false, ...options.reduceOptions },
    replaceVariables,
    theme,
    timeZone,
  });
  const parts = found
    .filter(({ display, field }) => display.numeric > 0 && !field.custom?.hideFrom?.viz)
    .sort(
      (a, b) =>
        (options.sort === 'asc' ? 1 : options.sort === 'none' ? 0 : -1) *
        (a.display.numeric - b.display.numeric),
    );
  const whole = parts.reduce((sum, { display }) => sum + display.numeric, 0);
  if (!whole) return <NoData data={data} fieldConfig={fieldConfig} />;
  const legend = {
    showLegend: true,
    displayMode: 'list',
    placement: 'right',
    values: [],
    ...options.legend,
  };
  const percent = (display) => `${((100 * display.numeric) / whole).toFixed(0)}%`;
  const items = parts.map(({ display }) => ({
    label: display.title ?? '',
    color: display.color,
    yAxis: 1,
    getDisplayValues: () => [
      ...(legend.values.includes('value') ? [{ ...display, title: 'Value' }] : []),
      ...(legend.values.includes('percent')
        ? [{ numeric: display.numeric, text: percent(display), title: 'Percent' }]
        : []),
    ],
  }));
  const list = legend.showLegend && (
    <VizLayout.Legend placement={width < 400 ? 'bottom' : legend.placement} width={legend.width}>
      <VizLegend
        items={items}
        displayMode={legend.displayMode}
        placement={legend.placement}
        readonly
      />
    </VizLayout.Legend>
  );
  const labels = options.displayLabels ?? [];
  const say = (display) =>
    [
      labels.includes('name') && display.title,
      labels.includes('value') && formattedValueToString(display),
      labels.includes('percent') && percent(display),
    ]
      .filter(Boolean)
      .join(' ');
  return (
    <VizLayout width={width} height={height} legend={list || null}>
      {(innerWidth, innerHeight) => (
        <svg
          width={innerWidth}
          height={innerHeight}
          viewBox="-52 -52 104 104"
          role="img"
          aria-label="Pie chart"
        >
          {slices(parts, whole, options.pieType === 'donut' ? 28 : 0).map(
            ({ display, path, middle }) => (
              <g key={display.title}>
                <path
                  d={path}
                  fill={display.color}
                  fillRule="evenodd"
                  stroke={theme.colors.background.primary}
                  strokeWidth="0.6"
                >
                  <title>{`${display.title}: ${formattedValueToString(display)} (${percent(display)})`}</title>
                </path>
                <text
                  x={middle[0]}
                  y={middle[1]}
                  fontSize="5"
                  textAnchor="middle"
                  fill={theme.colors.getContrastText(display.color)}
                >
                  {display.numeric / whole > 0.05 ? say(display) : ''}
                </text>
              </g>
            ),
          )}
        </svg>
      )}
    </VizLayout>
  );
}

function slices(parts, whole, inner) {
  const outer = 50;
  const at = (share, radius) => {
    const angle = 2 * Math.PI * (share - 0.25);
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  };
  let begun = 0;
  return parts.map(({ display }) => {
    const from = begun;
    // A slice that is all has no corners: its arc would begin where it ends.
    const to = Math.min(from + display.numeric / whole, from + 0.99999);
    begun = from + display.numeric / whole;
    const large = to - from > 0.5 ? 1 : 0;
    const path =
      `M${at(from, outer)}A${outer} ${outer} 0 ${large} 1 ${at(to, outer)}` +
      `L${at(to, inner)}${inner ? `A${inner} ${inner} 0 ${large} 0 ${at(from, inner)}` : ''}Z`;
    return {
      display,
      path,
      middle: at((from + to) / 2, inner ? (outer + inner) / 2 : outer * 0.65),
    };
  });
}
