package io.troth.bench;

import io.troth.bench.contender.Contender;
import io.troth.bench.naive.NaiveNoop;
import io.troth.bench.naive.StreamFloor;
import io.troth.bench.peers.Peers;
import io.troth.bench.postgres.HandDriven;
import io.troth.bench.troth.TrothNoop;
import io.troth.bench.troth.TrothPostgres;
import java.util.ArrayList;
import java.util.List;

/** Everybody who takes part, in the order of their turns. */
final class Contenders {

    private Contenders() {}

    static List<Contender> all() {
        List<Contender> all = new ArrayList<>();
        all.addAll(HandDriven.all());
        all.addAll(Peers.all());
        all.addAll(TrothPostgres.all());
        all.add(new StreamFloor());
        all.add(new NaiveNoop());
        all.addAll(TrothNoop.all());
        return List.copyOf(all);
    }
}
