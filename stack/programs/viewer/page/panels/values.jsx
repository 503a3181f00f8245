// Panels that show one figure a series: stat, gauge and bar gauge.
import {
  ReducerID,
  ThresholdsMode,
  VizOrientation,
  formattedValueToString,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
} from '@grafana/data';
import { BarGauge, BigValue, DataLinksContextMenu, VizRepeater, useTheme2 } from '@grafana/ui';
import { NoData } from './empty';

/** A panel that repeats `Value` for each figure, with the props that VizRepeater takes. */
function repeating(Value, spacing = () => ({ autoGrid: true, itemSpacing: 3 })) {
  return function ValuesPanel(props) {
    const { data, options, fieldConfig, replaceVariables, timeZone, width, height, renderCounter } =
      props;
    const theme = useTheme2();
    if (!data.series.length) return <NoData data={data} fieldConfig={fieldConfig} />;
    const getValues = () =>
      getFieldDisplayValues({
        data: data.series,
        fieldConfig,
        reduceOptions: { calcs: [ReducerID.lastNotNull], values: false, ...options.reduceOptions },
        replaceVariables,
        sparkline: (options.graphMode ?? 'area') !== 'none',
        percentChange: options.showPercentChange,
        theme,
        timeZone,
      });
    const direction =
      options.orientation && options.orientation !== 'auto'
        ? options.orientation
        : VizOrientation.Auto;
    return (
      <VizRepeater
        getValues={getValues}
        getAlignmentFactors={getDisplayValueAlignmentFactors}
        renderValue={(place) => (
          <Linked place={place} Value={Value} options={options} theme={theme} />
        )}
        source={data}
        renderCounter={renderCounter}
        width={width}
        height={height}
        orientation={direction}
        {...spacing(options)}
      />
    );
  };
}

/** The figure, and a menu of its links where it has any. */
function Linked({ place, Value, options, theme }) {
  const { value } = place;
  if (!value.hasLinks || !value.getLinks)
    return <Value place={place} options={options} theme={theme} />;
  return (
    <DataLinksContextMenu links={value.getLinks}>
      {(menu) => <Value place={place} options={options} theme={theme} menu={menu} />}
    </DataLinksContextMenu>
  );
}

function Stat({ place, options, theme, menu }) {
  const { value, width, height, count, alignmentFactors } = place;
  return (
    <BigValue
      value={value.display}
      sparkline={value.sparkline}
      width={width}
      height={height}
      count={count}
      alignmentFactors={alignmentFactors}
      theme={theme}
      text={options.text}
      colorMode={options.colorMode ?? 'value'}
      graphMode={options.graphMode ?? 'area'}
      justifyMode={options.justifyMode ?? 'auto'}
      textMode={options.textMode ?? 'auto'}
      percentChangeColorMode={options.percentChangeColorMode}
      disableWideLayout={options.wideLayout === false}
      onClick={menu?.openMenu}
      className={menu?.targetClassName}
      hasLinks={Boolean(menu)}
    />
  );
}

function Bar({ place, options, theme, menu }) {
  const { value, width, height, orientation, alignmentFactors } = place;
  return (
    <BarGauge
      value={value.display}
      field={value.field}
      display={value.view?.getFieldDisplayProcessor(value.colIndex)}
      width={width}
      height={height}
      orientation={orientation}
      theme={theme}
      text={options.text}
      alignmentFactors={alignmentFactors}
      itemSpacing={3}
      lcdCellWidth={8}
      displayMode={options.displayMode ?? 'gradient'}
      showUnfilled={options.showUnfilled ?? true}
      valueDisplayMode={options.valueMode}
      namePlacement={options.namePlacement}
      onClick={menu?.openMenu}
      className={menu?.targetClassName}
    />
  );
}

/** @grafana/ui publishes no gauge of this shape: an arc of three quarters, its thresholds around it. */
function Gauge({ place, options, theme, menu }) {
  const { value, width, height, count } = place;
  const { display, field } = value;
  const { min = 0, max = 100, thresholds } = field;
  const share = (number) => Math.min(1, Math.max(0, (number - min) / (max - min)));
  const steps = thresholds?.steps ?? [];
  const percentage = thresholds?.mode === ThresholdsMode.Percentage;
  const begins = (step) => {
    if (step.value == null || step.value === -Infinity) return 0;
    return percentage ? step.value / 100 : share(step.value);
  };
  const text = formattedValueToString(display);
  const titled = count > 1 || Boolean(options.text?.titleSize);
  const box = titled ? 98 : 86;
  const filled = Number.isFinite(display.numeric) ? share(display.numeric) : 0;
  const label = display.title ? `${display.title}: ${text}` : text;
  const drawing = (
    <svg width={width} height={height} viewBox={`0 0 100 ${box}`} role="img" aria-label={label}>
      <g fill="none">
        <path d={arc(36, 0, 1)} strokeWidth="14" stroke={theme.colors.background.secondary} />
        {filled > 0 && <path d={arc(36, 0, filled)} strokeWidth="14" stroke={display.color} />}
        {options.showThresholdMarkers !== false &&
          steps.map((step, at) => {
            const from = begins(step);
            const to = steps[at + 1] ? Math.min(1, begins(steps[at + 1])) : 1;
            const stroke = theme.visualization.getColorByName(step.color);
            return (
              from < to && <path key={at} d={arc(46, from, to)} strokeWidth="3" stroke={stroke} />
            );
          })}
      </g>
      <text
        x="50"
        y="57"
        textAnchor="middle"
        fontSize={Math.min(20, 84 / Math.max(4, text.length))}
        fill={display.color}
      >
        {text}
      </text>
      {titled && (
        <text x="50" y="95" textAnchor="middle" fontSize="9" fill={theme.colors.text.primary}>
          {display.title}
        </text>
      )}
    </svg>
  );
  if (!menu) return drawing;
  const bare = { background: 'none', border: 0, padding: 0, cursor: 'pointer' };
  return (
    <button type="button" style={bare} onClick={menu.openMenu} aria-label={`${label}, links`}>
      {drawing}
    </button>
  );
}

function arc(radius, from, to) {
  const point = (share) => {
    const angle = Math.PI * (-1.25 + 1.5 * share);
    return `${50 + radius * Math.cos(angle)} ${50 + radius * Math.sin(angle)}`;
  };
  return `M${point(from)}A${radius} ${radius} 0 ${to - from > 2 / 3 ? 1 : 0} 1 ${point(to)}`;
}

export const StatPanel = repeating(Stat);
export const GaugePanel = repeating(Gauge);
export const BarGaugePanel = repeating(Bar, (options) => ({
  itemSpacing: 10,
  minVizWidth: options.minVizWidth ?? 8,
  minVizHeight: options.minVizHeight ?? 16,
}));
