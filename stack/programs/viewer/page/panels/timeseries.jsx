import { useMemo } from 'react';
import { FieldType, formattedValueToString } from '@grafana/data';
import { SortOrder, TooltipDisplayMode } from '@grafana/schema';
import {
  TimeSeries,
  TooltipPlugin2,
  VizTooltipContent,
  VizTooltipFooter,
  VizTooltipHeader,
  VizTooltipWrapper,
  getFieldDisplayItems,
  getFieldDisplayLinks,
  isTooltipScrollable,
} from '@grafana/ui';
import { AnnotationMarks } from './annotations';
import { NoData } from './empty';

const NEAREST = 0; // TooltipHoverMode.xOne
const ALL = 1; // TooltipHoverMode.xAll

export function TimeSeriesPanel(props) {
  const { data, timeRange, timeZone, width, height, options, fieldConfig, onChangeTimeRange } =
    props;
  const narrow = width < 400;
  // The plot is made anew whenever one of these is another object.
  const frames = useMemo(() => data.series.filter(isDrawable).map(withGaps), [data.series]);
  const legend = useMemo(() => legendOf(options, narrow), [options, narrow]);
  if (!frames.length) return <NoData data={data} fieldConfig={fieldConfig} />;
  const tooltip = { mode: 'single', sort: 'none', ...options.tooltip };
  return (
    <TimeSeries
      frames={frames}
      structureRev={data.structureRev}
      timeRange={timeRange}
      timeZone={timeZone}
      width={width}
      height={height}
      legend={legend}
      options={options}
    >
      {(config, aligned) => (
        <>
          {tooltip.mode !== 'none' && (
            <TooltipPlugin2
              config={config}
              hoverMode={tooltip.mode === 'single' ? NEAREST : ALL}
              maxWidth={tooltip.maxWidth}
              queryZoom={onChangeTimeRange}
              getDataLinks={(series, at) => getFieldDisplayLinks(aligned.fields[series], at)}
              render={(plot, at, series, pinned, _dismiss, _range, _sync, links) => (
                <Tooltip {...{ aligned, at, series, pinned, tooltip, links }} />
              )}
            />
          )}
          <AnnotationMarks config={config} frames={data.annotations ?? []} timeZone={timeZone} />
        </>
      )}
    </TimeSeries>
  );
}

/** Beside the plot there is no room for it on a phone. */
function legendOf(options, narrow) {
  const legend = {
    displayMode: 'list',
    placement: 'bottom',
    showLegend: true,
    calcs: [],
    ...options.legend,
  };
  return narrow ? { ...legend, placement: 'bottom' } : legend;
}

function isDrawable(frame) {
  const has = (type) => frame.fields.some((field) => field.type === type);
  return frame.length > 0 && has(FieldType.time) && has(FieldType.number);
}

/** What is no number is a gap, as in Grafana: drawn, it would be filled from the axis on. */
function withGaps(frame) {
  const fields = frame.fields.map((field) =>
    field.type === FieldType.number
      ? { ...field, values: field.values.map((one) => (Number.isFinite(one) ? one : null)) }
      : field,
  );
  return { ...frame, fields };
}

function Tooltip({ aligned, at, series, pinned, tooltip, links }) {
  const [x] = aligned.fields;
  const mode = pinned ? TooltipDisplayMode.Single : tooltip.mode;
  const items = getFieldDisplayItems(
    aligned.fields,
    x,
    at,
    series,
    mode,
    tooltip.sort ?? SortOrder.None,
    (field) => field.type === FieldType.number,
    tooltip.hideZeros,
  );
  const time = formattedValueToString(x.display(x.values[at[0]]));
  return (
    <VizTooltipWrapper>
      <VizTooltipHeader item={{ label: '', value: time }} isPinned={pinned} />
      <VizTooltipContent
        items={items}
        isPinned={pinned}
        scrollable={isTooltipScrollable(tooltip)}
        maxHeight={tooltip.maxHeight ?? 400}
      />
      {pinned && links?.length > 0 && <VizTooltipFooter dataLinks={links} />}
    </VizTooltipWrapper>
  );
}
