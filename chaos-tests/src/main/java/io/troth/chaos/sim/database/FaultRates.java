package io.troth.chaos.sim.database;

/**
 * How often things go wrong by themselves, each in events per 10,000 round trips of its kind.
 *
 * @param cut the connection dies in a round trip: before the server heard, after it has answered, or while it works on
 * @param error the server refuses for a reason of its own, or with a code that says nothing
 * @param slow an answer takes up to two seconds
 * @param connect a connection cannot be opened
 */
public record FaultRates(int cut, int error, int slow, int connect) {

    public static final FaultRates NONE = new FaultRates(0, 0, 0, 0);

    static final int SCALE = 10_000;

    public FaultRates {
        if (cut < 0 || error < 0 || slow < 0 || connect < 0 || cut + error > SCALE) {
            throw new IllegalArgumentException("rates are per " + SCALE + " and not negative");
        }
    }
}
