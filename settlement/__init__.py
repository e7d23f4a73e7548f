"""Annual settlement of packaged funds: 年度清算, per alliance, year and fund type, never mixed."""
