package io.troth.bench.soak;

import io.troth.bench.run.ProcessLook;
import io.troth.bench.run.Soak.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Tells growth from coming and going: the median of the last quarter is compared with that of the second. In the first one
 * code is still compiled, pools fill up, and results that are kept for a while are not old enough to be forgotten.
 */
final class Growth {

    private static final int PARTS = 4;

    private Growth() {}

    /** A sentence for everything that has grown. */
    static List<String> of(List<Sample> samples) {
        List<String> grown = new ArrayList<>();
        int quarter = samples.size() / PARTS;
        if (quarter == 0) {
            return List.of("too few looks to say anything: " + samples.size());
        }
        for (String process : samples.get(0).processes().keySet()) {
            for (Measure measure : Measure.values()) {
                double before = median(samples.subList(quarter, 2 * quarter), process, measure);
                double after = median(samples.subList(samples.size() - quarter, samples.size()), process, measure);
                if (measure.hasGrown(before, after)) {
                    grown.add(String.format(
                            Locale.ROOT, "%s: %s grew from %.1f to %.1f", process, measure.title, before, after));
                }
            }
        }
        return grown;
    }

    private static double median(List<Sample> samples, String process, Measure measure) {
        double[] values = samples.stream()
                .mapToDouble(sample -> measure.of(look(sample, process)))
                .sorted()
                .toArray();
        return values[values.length / 2];
    }

    static ProcessLook look(Sample sample, String process) {
        ProcessLook look = sample.processes().get(process);
        if (look == null) {
            throw new IllegalStateException(process + " was gone after " + sample.seconds() + " s");
        }
        return look;
    }
}
